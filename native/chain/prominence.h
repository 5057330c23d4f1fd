// Keeps the maxima that stand out by more than a height: the h-maxima, found by local floods.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include "chain/config.h"
#include "chain/images.h"
#include "chain/sparse.h"

namespace somaflow {

class Prominence {
 public:
  Prominence(const ChainConfig& config, const DetectorConfig& detector, const Images& images);

  // Drops the maxima of plane z around which the 26-connected region of voxels at most the height below them, within reach, holds a
  // greater voxel, or an equal one before them in z, y, x order.
  void keep(int32_t z, std::vector<Seed>& seeds, int width, const std::atomic<bool>& stop);

 private:
  // What one thread has at hand: which voxels of the box around a maximum were seen, by the number of the flood, and those to go on
  // from, the greatest first.
  struct Scratch {
    std::vector<uint32_t> seen;
    uint32_t flood = 0;
    std::vector<std::pair<double, uint32_t>> heap;
  };
  template <typename T>
  bool stands_out(const std::vector<ImagePlane>& planes, const Seed& seed, Scratch& scratch) const;

  const Dtype dtype_;
  const int32_t image_;
  const ProminenceConfig asked_;
  const Images& images_;
  std::vector<Scratch> lanes_;
};

}  // namespace somaflow
