// Sizes and measures of cells, summed up run by run in rows of `rules.row_width()` numbers: x, y, z, size, the measure of each
// channel, then what else was asked.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "chain/channels.h"
#include "chain/pieces.h"

namespace somaflow {

constexpr size_t kSize = 3, kMeasures = 4;  // places in a row

// Appends the row of a cell that has no voxel yet; `seed_values` are those of its component.
void begin_cell(const Seed& seed, const double* seed_values, const FloodRules& rules, std::vector<double>& rows);

// Adds runs, whose values follow each other, to the cell of a row.
void add_runs(const Run* runs, size_t count, const uint8_t* values, const FloodRules& rules, double* row);

// Adds each voxel to the cell of row `label - 1`; labels are in z, y, x order, and so are the sums.
void add_labelled(const Piece* pieces, size_t count, const uint8_t* values, const uint32_t* labels, const FloodRules& rules,
                  double* rows, const std::atomic<bool>& stop);

// Makes of what was summed up the measure that was asked for.
void end_cell(const FloodRules& rules, double* row);

}  // namespace somaflow
