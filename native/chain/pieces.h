// The runs of a component in z, y, x order.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "chain/sparse.h"

namespace somaflow {

struct Piece {
  Run run;
  uint32_t first;   // index of its first voxel, of all voxels in z, y, x order
  uint64_t values;  // byte at which its values begin
};

// Puts runs, whose values follow each other with `voxel_bytes` a voxel, in z, y, x order.
void order_runs(const Run* runs, size_t count, size_t voxel_bytes, Piece* pieces);

// Calls each(piece, begin, end, label) for each stretch of voxels begin .. end - 1 of a piece that have one label, in z, y, x order;
// without labels all have 1. Ends early when `stop` is set.
template <typename Each>
void for_stretches(const Piece* pieces, size_t count, const uint32_t* labels, const std::atomic<bool>& stop, const Each& each) {
  for (const Piece* piece = pieces; piece != pieces + count; ++piece) {
    if (stop.load(std::memory_order_relaxed)) return;
    const size_t length = static_cast<size_t>(piece->run.length);
    if (labels == nullptr) {
      each(piece, size_t{0}, length, size_t{1});
      continue;
    }
    const uint32_t* const label = labels + piece->first;
    for (size_t begin = 0, end; begin < length; begin = end) {
      for (end = begin + 1; end < length && label[end] == label[begin];) ++end;
      each(piece, begin, end, size_t{label[begin]});
    }
  }
}

inline bool before(const Run& a, const Run& b) {
  return a.z != b.z ? a.z < b.z : a.y != b.y ? a.y < b.y : a.x < b.x;
}

}  // namespace somaflow
