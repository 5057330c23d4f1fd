// What is kept of each mask voxel, and how cells are made and measured of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/dtype.h"

namespace somaflow {

enum class Method : uint8_t { max, min, mean, sum };

// The values of a run are `length` of the first channel, then `length` of the next, and so on: each in its own type, packed
// without padding, so that they are aligned to bytes only.
struct FloodRules {
  std::vector<Dtype> channels;  // of the image that is divided into cells, then of those that are only measured
  Method method = Method::max;
  bool merge_plateaus = true;  // whether of seeds on one 6-connected plateau of equal value only the first stays

  // Bytes of one voxel's values.
  size_t voxel_bytes() const {
    size_t bytes = 0;
    for (const Dtype dtype : channels) bytes += bytes_of(dtype);
    return bytes;
  }
  // Numbers of a cell: x, y, z, size, then the measure of each channel.
  size_t row_width() const { return 4 + channels.size(); }
  // Whether a cell's measures depend on the order of its voxels: sums of float32 values are rounded.
  bool order_matters() const {
    if (method == Method::max || method == Method::min) return false;
    for (const Dtype dtype : channels)
      if (dtype == Dtype::f32) return true;
    return false;
  }
};

}  // namespace somaflow
