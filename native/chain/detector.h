// One search for cells on a block: peaks and mask runs of its image's planes -> components -> floods.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "chain/components.h"
#include "chain/config.h"
#include "chain/flood.h"
#include "chain/fragments.h"
#include "chain/images.h"
#include "chain/maxima.h"
#include "chain/prominence.h"
#include "chain/scan.h"
#include "chain/spheres.h"
#include "chain/tissue.h"

namespace somaflow {

// What a push leaves: cells of components that lie inside the core, fragments of those that do not.
struct DetectorOutput {
  std::vector<double> rows;  // row_width() numbers a cell, in z, y, x order
  GivenVoxels voxels;        // of these cells, where asked
  Fragments fragments;
  CellVoxels gathered;  // what `voxels` is made of, once a push has no more planes
};

class Detector {
 public:
  Detector(const ChainConfig& config, const DetectorConfig& detector, const Images& images, const Tissue& tissue,
           const std::atomic<bool>& stop);

  // At most so many bytes are held of components and floods.
  static size_t sparse_bytes(const ChainConfig& config, const DetectorConfig& detector, int width);

  // Looks at the planes that can be judged by now; with `last` all are there, and nothing stays open.
  void advance(bool last, bool inner_high_z, int width, DetectorOutput& out);

  // Divides what is complete, once a push has no more planes.
  void settle(int width, DetectorOutput& out);

 private:
  // The first plane that cannot be judged yet.
  int32_t ready() const;
  bool stopped() const { return stop_.load(std::memory_order_relaxed); }
  void sieve(int32_t from, int32_t to, int width, DetectorOutput& out);
  void join_plane(int32_t z, size_t first_band, size_t bands, int width, DetectorOutput& out);
  void flood_closed(int width, DetectorOutput& out);
  void append_centers(const std::vector<Seed>& seeds, const std::vector<double>& seed_values, int32_t z, int width, DetectorOutput& out);
  void append_as_fragments(const Component& component, DetectorOutput& out);

  const ChainConfig& config_;
  const DetectorConfig& detector_;
  const Images& images_;
  const Tissue& tissue_;
  const std::atomic<bool>& stop_;
  const Span rows_;  // of a plane, on which peaks are to be known
  FragmentRules rules_;
  VolumeExtent volume_;  // its depth, where not known from the start, once the last planes are there
  const std::unique_ptr<Scan> scan_;
  Maxima maxima_;
  std::optional<Prominence> prominence_;
  std::optional<Spheres> spheres_;
  Components components_;
  int32_t sieved_;  // the first plane whose peaks are not known yet
  int32_t fragments_ = 0;
  std::vector<Band> bands_;
  std::vector<Component> closed_;
};

}  // namespace somaflow
