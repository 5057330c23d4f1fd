#pragma once

#include <chrono>
#include <cstddef>

namespace somaflow::bench {

// Calls work() and gives its seconds.
template <typename Work>
double seconds_of(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Mvoxel/s of pass(), which goes over so many voxels and gives the seconds that count. It is called until they are enough for the
// clock, after one time that brings memory and code into place.
template <typename Pass>
double rate(size_t voxels, const Pass& pass) {
  pass();
  double seconds = 0;
  size_t passes = 0;
  for (; seconds < 0.2; ++passes) seconds += pass();
  return static_cast<double>(voxels) * static_cast<double>(passes) / seconds / 1e6;
}

}  // namespace somaflow::bench
