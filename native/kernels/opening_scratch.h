#pragma once
#include <cstddef>

namespace somaflow {

/// Bump allocation from the caller's scratch, in whole cache lines.
class OpeningScratch {
 public:
  explicit OpeningScratch(void* memory) : next_(static_cast<char*>(memory)) {}
  template <typename T>
  T* take(size_t count) {
    T* taken = reinterpret_cast<T*>(next_);
    next_ += (count * sizeof(T) + 63) / 64 * 64;
    return taken;
  }

 private:
  char* next_;
};

}  // namespace somaflow
