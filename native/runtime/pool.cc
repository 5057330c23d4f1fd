#include "runtime/pool.h"

#include <algorithm>
#include <memory>

namespace somaflow {

Pool& Pool::instance() {
  // Never destroyed: a thread may still be at work, or wait for a disk, while the process's static objects go.
  static Pool* pool = new Pool(kMaxWidth);
  return *pool;
}

Pool& Pool::readers() {
  static Pool* pool = new Pool(kReaders);
  return *pool;
}

void Pool::post(std::function<void()> job) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(job));
    if (idle_ < queue_.size() && threads_.size() < most_) threads_.emplace_back([this] { work(); });
  }
  posted_.notify_one();
}

void Pool::work() {
  for (;;) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      ++idle_;
      posted_.wait(lock, [this] { return !queue_.empty(); });
      --idle_;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    job();
  }
}

namespace {

// Shared by the threads of one parallel_for. A helper that comes when all items are taken finds nothing to do, so it
// may outlive the call; hence the shared ownership.
struct Loop {
  explicit Loop(int count, const std::function<void(int, int)>& body) : count(count), body(body) {}
  const int count;
  const std::function<void(int, int)>& body;  // only touched while items are left, when the caller still waits
  std::atomic<int> next{0};
  std::atomic<int> done{0};
  std::atomic<int> lanes{0};
  std::mutex mutex;
  std::condition_variable finished;

  void run(const std::atomic<bool>* stop) {
    int lane = -1;
    for (int item; (item = next.fetch_add(1)) < count;) {
      if (lane < 0) lane = lanes.fetch_add(1);
      if (!stop->load(std::memory_order_relaxed)) body(item, lane);
      if (done.fetch_add(1) + 1 == count) {
        std::lock_guard lock(mutex);
        finished.notify_all();
      }
    }
  }
};

}  // namespace

void Pool::parallel_for(int width, int count, const std::atomic<bool>& stop,
                        const std::function<void(int, int)>& body) {
  if (count <= 0) return;
  const int helpers = std::min(std::min(width, kMaxWidth), count) - 1;
  if (helpers <= 0) {
    for (int item = 0; item < count && !stop.load(std::memory_order_relaxed); ++item) body(item, 0);
    return;
  }
  auto loop = std::make_shared<Loop>(count, body);
  for (int i = 0; i < helpers; ++i) post([loop, flag = &stop] { loop->run(flag); });
  loop->run(&stop);
  std::unique_lock lock(loop->mutex);
  loop->finished.wait(lock, [&] { return loop->done.load() == count; });
}

}  // namespace somaflow
