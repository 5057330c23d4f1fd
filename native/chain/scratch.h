// Memory that floods reuse. Fresh pages are dear, so a scratch keeps its greatest size; one that would be larger than
// `limit` bytes is mapped from an unlinked temporary file instead, whose pages the system can write out.
#pragma once

#include <cstddef>
#include <string>

namespace somaflow {

class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { drop(); }

  // At least `bytes` of memory, its contents undefined. Throws std::runtime_error if the file cannot be made.
  std::byte* take(size_t bytes, size_t limit = SIZE_MAX, const std::string& folder = {});

  // Gives the memory back.
  void drop();

 private:
  std::byte* data_ = nullptr;
  size_t size_ = 0;
  bool mapped_ = false;
};

// Cuts arrays, each aligned to a cache line, out of one piece of memory; without memory it only counts what they take.
class Cutter {
 public:
  Cutter() = default;
  explicit Cutter(std::byte* memory) : memory_(memory) {}
  template <typename T>
  T* cut(size_t count) {
    T* const array = memory_ == nullptr ? nullptr : reinterpret_cast<T*>(memory_ + taken_);
    taken_ += rounded(count * sizeof(T));
    return array;
  }
  // Bytes that the arrays so far take, their alignment included.
  size_t taken() const { return taken_; }
  // Bytes that an array takes, its alignment included.
  static constexpr size_t rounded(size_t bytes) { return (bytes + 63) / 64 * 64; }

 private:
  std::byte* memory_ = nullptr;
  size_t taken_ = 0;
};

}  // namespace somaflow
