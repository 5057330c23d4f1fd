// The pool runs jobs side by side: as many as are posted, each of which may use others.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>

#include "runtime/pool.h"

using namespace somaflow;

namespace {

/// Counts those that have come, and waits for them.
class Meeting {
 public:
  /// False if they have not all come after some seconds.
  bool come(int expected) {
    std::unique_lock lock(mutex_);
    ++come_;
    changed_.notify_all();
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return come_ >= expected; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int come_ = 0;
};

int wrong = 0;
void right(bool is, const char* what) {
  if (!is && ++wrong > 0) std::printf("WRONG: %s\n", what);
}

/// Each job waits until all have begun, which they never would on fewer threads.
void jobs_meet(int count) {
  Meeting begun, ended;
  std::atomic<int> met{0};
  for (int i = 0; i < count; ++i)
    Pool::instance().post([&] {
      if (begun.come(count)) ++met;
      ended.come(0);
    });
  ended.come(count + 1);
  right(met == count, "jobs that were posted at once do not run side by side");
}

/// The items of a loop do so too, also while another loop is at work.
void loops_meet(int loops, int width) {
  Meeting begun, ended;
  std::atomic<int> met{0};
  const std::atomic<bool> stop{false};
  for (int i = 0; i < loops; ++i)
    Pool::instance().post([&, loops, width] {
      Pool::instance().parallel_for(width, width, stop, [&](int, int) {
        if (begun.come(loops * width)) ++met;
      });
      ended.come(0);
    });
  ended.come(loops + 1);
  right(met == loops * width, "items of loops do not run side by side");
}

/// Lanes are below the width and belong to one thread at a time; every item is done once.
void lanes_are_apart() {
  constexpr int width = 3, count = 2000;
  const std::atomic<bool> stop{false};
  std::atomic<int> busy[width] = {}, done[count] = {};
  std::atomic<bool> shared{false};
  Pool::instance().parallel_for(width, count, stop, [&](int item, int lane) {
    if (lane < 0 || lane >= width || busy[lane].fetch_add(1) != 0) shared = true;
    ++done[item];
    if (lane >= 0 && lane < width) busy[lane].fetch_sub(1);
  });
  right(!shared, "a lane belongs to two threads at a time");
  for (const auto& times : done) right(times == 1, "an item was not done once");
}

}  // namespace

int main() {
  for (const int count : {1, 2, 5}) jobs_meet(count);
  for (int i = 0; i < 20; ++i) {
    loops_meet(1, 4);
    loops_meet(3, 2);
    lanes_are_apart();
  }
  std::printf(wrong == 0 ? "pool: right\n" : "pool: %d wrong\n", wrong);
  return wrong == 0 ? 0 : 1;
}
