// One search for cells on a block: peaks and mask runs of its image's planes -> maxima -> components -> floods.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
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
#include "chain/windows.h"

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
  // `windows` has Windows::bytes; where maxima are saved, `saved` has room for as many planes of the core as a push can leave.
  Detector(const ChainConfig& config, const DetectorConfig& detector, const Images& images, const Tissue& tissue,
           std::byte* windows, std::byte* saved, const std::atomic<bool>& stop);

  // At most so many bytes are held of components and floods.
  static size_t sparse_bytes(const ChainConfig& config, const DetectorConfig& detector, int width);

  // Looks at the planes that can be judged by now; with `last` all are there, and nothing stays open. False if it waits for the
  // values of windows; it goes on from there once they have come.
  bool advance(bool last, bool inner_high_z, int width, DetectorOutput& out);

  // The windows that it waits for, and their values, one a window.
  const WindowsWanted& wanted() const { return windows_.wanted(); }
  void come(const double* values) { windows_.come(values); }

  // The planes of the core whose maxima have been saved since the last call.
  Span take_saved() { return std::exchange(saved_planes_, {saved_planes_.stop, saved_planes_.stop}); }

  // Divides what is complete, once a push has no more planes.
  void settle(int width, DetectorOutput& out);

 private:
  // The first plane that cannot be judged yet.
  int32_t ready() const;
  bool stopped() const { return stop_.load(std::memory_order_relaxed); }
  void look(int32_t to, int width);
  void find_seeds(int32_t z, int width);
  std::span<const Band> bands_of(int32_t z) const;
  void save_plane(const std::vector<Seed>& seeds);
  bool is_in_mask(const Seed& seed) const;
  void join(int width, DetectorOutput& out);
  void join_plane(const std::vector<Seed>& seeds, const std::vector<double>& values, int width, DetectorOutput& out);
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
  Windows windows_;
  std::byte* const saved_;
  Span saved_planes_;
  int32_t joined_;  // the first plane whose maxima are not with the components, or out, yet
  int32_t looked_;  // the first plane whose peaks are not known yet: a batch behind that at most
  int32_t looked_from_ = 0;   // the first plane of those that were looked at together last
  size_t plane_bands_ = 0;    // bands of each of them
  std::vector<Band> bands_;   // of all of them, one plane after another
  std::vector<Seed> seeds_;   // of all of them
  int32_t fragments_ = 0;
  std::vector<Component> closed_;
};

}  // namespace somaflow
