// The runs of a component in z, y, x order.
#pragma once

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

inline bool before(const Run& a, const Run& b) {
  return a.z != b.z ? a.z < b.z : a.y != b.y ? a.y < b.y : a.x < b.x;
}

}  // namespace somaflow
