// Measures images over the voxels around maxima, where cells have no shapes.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "chain/config.h"
#include "chain/images.h"
#include "chain/sparse.h"

namespace somaflow {

class Spheres {
 public:
  Spheres(const ChainConfig& config, const DetectorConfig& detector, const Images& images);

  // Appends a row for each maximum of plane z, with a measure of each channel behind the place of x, y, z, over the voxels within
  // the radius, inside the volume; the rest is 0. Sums are taken in z, y, x order.
  void measure(int32_t z, const std::vector<Seed>& seeds, int width, const std::atomic<bool>& stop, std::vector<double>& rows) const;

 private:
  // A row of the sphere: at this distance from the center, from x - half to x + half.
  struct Chord {
    int32_t z, y, half;
  };
  template <typename T>
  double measure_one(const std::vector<ImagePlane>& planes, const Seed& seed) const;

  const Images& images_;
  const Method method_;
  const int32_t reach_;
  const size_t row_width_;
  std::vector<int32_t> channels_;
  std::vector<Dtype> dtypes_;
  std::vector<Chord> chords_;  // in z, y order
};

}  // namespace somaflow
