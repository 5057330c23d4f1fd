// Ranks of float32 values, so that they can be queued by level as integers are.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "chain/pieces.h"

namespace somaflow {

// Writes the rank of each voxel's value among the distinct values of all `voxels`, the least being 0, and returns how many
// distinct values there are. The values of a piece begin at byte `piece.values` of `values`; `pairs` has room for two numbers a
// voxel. Ends early, with ranks to be thrown away, when `stop` is set.
size_t rank_values(const Piece* pieces, size_t piece_count, const uint8_t* values, size_t voxels, uint32_t* ranks,
                   uint64_t* pairs, const std::atomic<bool>& stop);

}  // namespace somaflow
