// Voxels of a made-up light-sheet volume: a slow gradient, noise, and Gaussian cells. Each voxel depends on its place and
// the scene alone, so any region has the voxels that the whole has, bit for bit, on any machine.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

namespace somaflow {

struct SyntheticCell {
  int32_t x, y, z;
  double amplitude;
};

struct SyntheticScene {
  uint32_t seed = 0;
  double noise = 0;                       // brightness of one unit of noise, of which a voxel has -510 .. 510
  double scale = 1;                       // by which brightness is multiplied at last
  std::vector<double> rows, columns;      // the background at (y, x) is rows[y] + columns[x]
  std::vector<double> profile_z, profile_yx;  // of a cell along each axis, from its center outward
  std::vector<SyntheticCell> cells;       // in z, y, x order
};

struct SyntheticRegion {
  int32_t z[2], y[2], x[2];  // half-open
};

// Fills `into`, packed, with the region's voxels: integers are rounded to nearest and saturated. Ends early when `stop`
// is set, which is looked at for each row. T is uint8_t, uint16_t or float.
template <typename T>
void fill_synthetic(const SyntheticScene& scene, const SyntheticRegion& region, T* into, const std::atomic<bool>& stop);

}  // namespace somaflow
