// Row kernels of the sparse half of the chain: which voxels of a row are in the mask, and which may be maxima; and the
// check of rows of floats as they are read. T is uint8_t, uint16_t or float.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/target.h"

namespace somaflow {

// Sets bit i of `bits` where row[i] > threshold. `bits` has (count + 63) / 64 words; unused bits are 0. `later` is a row that
// will be looked at soon.
template <typename T>
using MaskBits = void (*)(const T* row, size_t count, T threshold, uint64_t* bits, const T* later);

// Of words that are not 0, sets bit i where row[i] > threshold and none of the voxels at i of the two rows beside it, nor row[i - 1] and
// row[i + 1] where `left` and `right` ask for them, is greater, and clears the others. A row that is to be left out is given as `row`
// itself. Rows have to be readable from -left to count - 1 + right.
template <typename T>
using PeakBits = void (*)(const T* row, const T* above, const T* below, int left, int right, size_t count, T threshold, uint64_t* bits);

// Sets flag i to 1 where one of the 64 voxels from 64 i on, as far as there are, is above the threshold; leaves the others.
template <typename T>
using TilesAbove = void (*)(const T* row, size_t count, T threshold, uint8_t* flags);

template <typename T>
struct RowKernels {
  MaskBits<T> mask_bits;
  PeakBits<T> peak_bits;
  TilesAbove<T> tiles_above;
};

template <typename T>
RowKernels<T> row_kernels(Target target);

// The value of the pixel type that stands for a threshold: v > threshold, exactly, where all || (!none && v > value).
template <typename T>
struct Limit {
  T value = 0;
  bool all = false;   // the threshold is -infinity, or below every integer of the type
  bool none = false;  // no value of the type is above the threshold
};

// -infinity stands for no threshold at all. Nothing is above NaN.
template <typename T>
Limit<T> limit_of(double threshold);

// Makes -0 into 0 in place, and returns the index of the first NaN or infinity, else `count`. Beyond that index -0 may remain.
size_t find_not_finite(Target target, float* row, size_t count);

}  // namespace somaflow
