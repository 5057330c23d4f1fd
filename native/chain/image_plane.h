#pragma once

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

}  // namespace somaflow
