// The process's pools of native threads. A job brings its own width: how many threads may work on it at a time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace somaflow {

constexpr int kMaxWidth = 256;

class Pool {
 public:
  // For kernels.
  static Pool& instance();
  // For reads: apart, so that neither kernels nor libuv's own threads wait for a disk.
  static Pool& readers();
  static constexpr int kReaders = 4;

  // Runs `job` on a thread of the pool: one that waits for work or, if there are fewer of them than jobs, a new one. How many jobs there
  // are at a time is up to those who post them; readers take turns on kReaders threads.
  void post(std::function<void()> job);

  // Calls body(item, lane) for items 0 .. count - 1, from the calling thread and at most width - 1 others; `lane` is below
  // width and belongs to one thread at a time, so that scratch can be kept by lane. The caller does what nobody else
  // takes, so this ends however busy the pool is. Items not begun when `stop` is set are left out.
  void parallel_for(int width, int count, const std::atomic<bool>& stop, const std::function<void(int item, int lane)>& body);

 private:
  explicit Pool(size_t most) : most_(most) {}
  void work();

  const size_t most_;  // threads

  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<std::function<void()>> queue_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
};

}  // namespace somaflow
