// What is kept of each mask voxel, and how cells are made and measured of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/dtype.h"

namespace somaflow {

enum class Method : uint8_t { max, min, mean, sum };

// Planes, rows and columns of the volume; a depth of 0 is not known, or not yet.
struct VolumeExtent {
  int32_t depth = 0, height = 0, width = 0;
};

// The values of a run are `length` of the first channel, then `length` of the next, and so on: each in its own type, packed
// without padding, so that they are aligned to bytes only.
struct FloodRules {
  std::vector<Dtype> channels;  // of the image that is divided into cells, then of those that are only measured
  Method method = Method::max;
  bool merge_plateaus = true;  // whether of seeds on one 6-connected plateau of equal value only the first stays

  int32_t seed_values = 0;  // numbers that each seed brings, and its cell keeps
  bool centroid = false, box = false, flags = false;
  int32_t saturated_channel = -1;       // where flags look for the greatest value of an integer type; -1: nowhere
  bool voxels = false;                  // whether each cell's voxels are given,
  std::vector<int32_t> voxel_channels{};  // and of which channels their values
  int32_t reserved = 0;                 // numbers at the end of each row that stay 0, for the caller to fill

  // Bytes of one voxel's values.
  size_t voxel_bytes() const {
    size_t bytes = 0;
    for (const Dtype dtype : channels) bytes += bytes_of(dtype);
    return bytes;
  }
  // Bytes of it in channels before one.
  size_t bytes_before(int32_t channel) const {
    size_t bytes = 0;
    for (int32_t i = 0; i < channel; ++i) bytes += bytes_of(channels[static_cast<size_t>(i)]);
    return bytes;
  }
  // Bytes of the values that are given of one of a cell's voxels.
  size_t given_bytes() const {
    size_t bytes = 0;
    for (const int32_t channel : voxel_channels) bytes += bytes_of(channels[static_cast<size_t>(channel)]);
    return bytes;
  }
  // Numbers of a cell with a shape: x, y, z, size, the measure of each channel, then what each of these begins.
  size_t seed_values_at() const { return 4 + channels.size(); }
  size_t centroid_at() const { return seed_values_at() + static_cast<size_t>(seed_values); }  // x, y, z
  size_t box_at() const { return centroid_at() + (centroid ? 3 : 0); }                       // x0, x1, y0, y1, z0, z1
  size_t flags_at() const { return box_at() + (box ? 6 : 0); }
  size_t reserved_at() const { return flags_at() + (flags ? 1 : 0); }
  size_t row_width() const { return reserved_at() + static_cast<size_t>(reserved); }
  // Whether what is said of where a cell's voxels lie is asked for.
  bool any_property() const { return centroid || box || flags; }
  // Whether a cell's measures depend on the order of its voxels: sums of float32 values are rounded.
  bool order_matters() const {
    if (method == Method::max || method == Method::min) return false;
    for (const Dtype dtype : channels)
      if (dtype == Dtype::f32) return true;
    return false;
  }
};

}  // namespace somaflow
