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

class Pool {
 public:
  // For kernels.
  static Pool& instance();
  // For reads: apart, so that neither kernels nor libuv's own threads wait for a disk.
  static Pool& readers();
  static constexpr int kReaders = 4;

  // Runs `job` on a thread of the pool, which has at least `width` threads from then on.
  void post(int width, std::function<void()> job);

  // Calls body(item, lane) for items 0 .. count - 1, from the calling thread and at most width - 1 others; `lane` is below
  // width and belongs to one thread at a time, so that scratch can be kept by lane. The caller does what nobody else
  // takes, so this ends however busy the pool is. Items not begun when `stop` is set are left out.
  void parallel_for(int width, int count, const std::atomic<bool>& stop, const std::function<void(int item, int lane)>& body);

 private:
  Pool() = default;
  void work();

  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<std::function<void()>> queue_;
  std::vector<std::thread> threads_;
};

constexpr int kMaxWidth = 256;

}  // namespace somaflow
