// Row kernels of the sparse half of the chain: which voxels of a row are in the mask, and which may be maxima.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/target.h"

namespace somaflow {

// Sets bit i of `bits` where row[i] > threshold. `bits` has (count + 63) / 64 words; unused bits are 0.
using MaskBits = void (*)(const uint16_t* row, size_t count, uint16_t threshold, uint64_t* bits);

// Sets bit i where row[i] > threshold and none of the voxels at i of the five other rows, nor row[i - 1] and row[i + 1]
// where `left` and `right` ask for them, is greater. A row that is to be left out is given as `row` itself. Rows have to be readable
// from -left to count - 1 + right.
using PeakBits = void (*)(const uint16_t* row, const uint16_t* above, const uint16_t* below, const uint16_t* before,
                          const uint16_t* after, int left, int right, size_t count, uint16_t threshold, uint64_t* bits);

struct RowKernels {
  MaskBits mask_bits;
  PeakBits peak_bits;
};

RowKernels row_kernels(Target target);

}  // namespace somaflow
