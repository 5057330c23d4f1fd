#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "chain/span.h"

namespace somaflow {

// Where the image of a plane is: the voxel (y, x) of the volume is at data[(y - rows.start) * stride + x - columns.start].
struct ImagePlane {
  std::byte* data = nullptr;  // null: there is no such plane
  ptrdiff_t stride = 0;       // in voxels
  Span rows, columns;

  template <typename T>
  const T* row(int32_t y) const {
    return reinterpret_cast<const T*>(data) + (y - rows.start) * stride - columns.start;
  }
  template <typename T>
  T* row(int32_t y) {
    return reinterpret_cast<T*>(data) + (y - rows.start) * stride - columns.start;
  }
};

// A row to ask for while row y is looked at: far enough ahead to come in time, with its neighbours.
template <typename T>
const T* later_row(const ImagePlane& plane, int32_t y) {
  return plane.row<T>(std::min(y + 2, plane.rows.stop - 1));
}

}  // namespace somaflow
