// The planes that kernels are measured on, in memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace somaflow::bench {

template <typename T>
struct Volume {
  int32_t depth = 0, height = 0, width = 0;
  std::vector<T> voxels;

  size_t plane_voxels() const { return static_cast<size_t>(height) * static_cast<size_t>(width); }
  const T* plane(int32_t z) const { return voxels.data() + static_cast<size_t>(z) * plane_voxels(); }
  T* plane(int32_t z) { return voxels.data() + static_cast<size_t>(z) * plane_voxels(); }
  // The same extent, of zeros.
  template <typename U>
  Volume<U> like() const {
    return {depth, height, width, std::vector<U>(voxels.size())};
  }
};

// The first rows of the first planes of a (z, y, x) array of uint16 that NumPy saved. Throws std::runtime_error if it is none.
Volume<uint16_t> read_volume(const std::string& path, int32_t planes, int32_t rows);

// The least value that at most this share of the voxels is above.
uint16_t value_above_which(const Volume<uint16_t>& volume, double share);

}  // namespace somaflow::bench
