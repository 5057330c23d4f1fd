// Where the voxels of cells lie: their centroids, boxes and flags, in rows of `rules.row_width()` numbers.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "chain/channels.h"
#include "chain/pieces.h"

namespace somaflow {

// Bits of a cell's flags: a voxel of it lies on a face of the volume; one has the greatest value of its type.
enum CellFlag : uint8_t { kOnEdge = 1, kSaturated = 2 };

// Fills in what is asked of the cells of a component, whose rows are begun. Pieces are in order; labels are 1 + the cell, null
// where all voxels are of one. `weights` has room for a number a cell.
//
// A centroid is, per axis, c + sum(w (p - c)) / sum(w): c the center, p the voxels' positions, w their values in the first channel,
// all 1 where those do not sum to more than 0. Sums are float64, one voxel after another in z, y, x order. Boxes are half-open.
void add_properties(const Piece* pieces, size_t count, const uint8_t* values, const uint32_t* labels, const FloodRules& rules,
                    const VolumeExtent& volume, double* weights, double* rows, size_t cells, const std::atomic<bool>& stop);

}  // namespace somaflow
