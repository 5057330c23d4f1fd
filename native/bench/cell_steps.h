// The steps that find cells in an image, each alone on one thread, over planes that all lie in memory.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "bench/volume.h"
#include "chain/config.h"
#include "chain/images.h"
#include "chain/sparse.h"
#include "chain/tissue.h"

namespace somaflow::bench {

class CellSteps {
 public:
  // Of an image, and of what is measured beside it. Both have to outlive this.
  CellSteps(Volume<uint16_t>& image, Volume<uint16_t>& measured, Target target);

  // Each gives the seconds of one pass. Maxima of a window that are above the threshold, with `height` those that stand out by more.
  double maxima(int32_t window, double threshold, std::optional<double> height = {}) const;
  // Runs of voxels above the threshold, with the values of both images.
  double runs(double threshold) const;
  // Cells of the voxels above the threshold: runs, components, floods, sizes and the greatest values of both images. The maxima from which
  // they are flooded count as given.
  double watershed(double threshold) const;

  // What the last pass found.
  size_t found() const { return found_; }

 private:
  std::vector<std::vector<Seed>> seeds(const DetectorConfig& detector) const;

  ChainConfig config_;
  std::unique_ptr<Images> images_;
  std::optional<Tissue> tissue_;
  mutable size_t found_ = 0;
};

}  // namespace somaflow::bench
