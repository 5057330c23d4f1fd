// The chain of one block: planes go in, sparse results come out; no step result ever exists whole.
//
// source ring -> opening -> image ring -> peaks and mask runs -> components -> floods. The rings are memory of the caller.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "chain/components.h"
#include "chain/config.h"
#include "chain/flood.h"
#include "chain/fragments.h"
#include "chain/peaks.h"
#include "chain/sparse.h"
#include "kernels/opening.h"

namespace somaflow {

// What a push leaves: cells of components that lie inside the core, fragments of those that do not.
struct ChainOutput {
  std::vector<double> rows;  // 4 + channels numbers a cell (3 without shape), in z, y, x order
  Fragments fragments;
};

// Bytes that a chain takes: for the rings, and at most for what it holds of components and floods.
struct ChainNeeds {
  size_t source_bytes, workspace_bytes, sparse_bytes;
};
ChainNeeds chain_needs(const ChainConfig& config, int width);

class Chain {
 public:
  // `source` is the source ring, which the caller fills: plane z lies at (z - read.z.start) % source_planes().
  // `workspace` has the bytes of chain_needs. `saved`, if not null, gets the image on the core, in z, y, x order.
  Chain(const ChainConfig& config, const uint16_t* source, std::byte* workspace, uint16_t* saved);

  // Takes the next `planes` planes, up to batch_planes, on up to `width` threads. With `last` no more come: the planes
  // seen are all that the core and its halo have; `inner_high_z` tells whether another core lies behind.
  void push(int planes, bool last, bool inner_high_z, int width, ChainOutput& out);

  // Makes the push under way, and all later ones, return early.
  void stop() { stop_.store(true, std::memory_order_relaxed); }
  bool stopped() const { return stop_.load(std::memory_order_relaxed); }

 private:
  // One band of rows of one plane, and what is found in it. Kept, so that its memory is reused.
  struct Band {
    int32_t z;
    Span rows;
    PlaneMask mask;
    std::vector<Peak> peaks;
    std::vector<uint64_t> bits;
  };
  int cut_bands(Span rows, int planes, int width) const;
  void remove_background(int32_t from, int32_t to, int width);
  void save_image(int32_t from, int32_t to, int width);
  void look(Band& band);
  void find_runs(Band& band);
  void sieve(int32_t from, int32_t to, int width, ChainOutput& out);
  void join_plane(int32_t z, size_t first_band, size_t bands, ChainOutput& out);
  void flood_closed(int width, ChainOutput& out);
  void append_as_fragments(const Component& component, ChainOutput& out);
  ImagePlane source_plane(int32_t z) const;
  ImagePlane image_plane(int32_t z) const;

  const ChainConfig config_;
  const uint16_t* const source_;
  std::byte* const workspace_;
  uint16_t* const saved_;
  OpeningPlan opening_;
  const size_t opening_scratch_;
  uint16_t* const image_;
  const size_t image_stride_, image_plane_voxels_;
  const PeakTest peaks_;
  FirstOfEquals first_;
  Components components_;
  const Limit mask_limit_;
  const RowKernels kernels_;
  const FragmentRules rules_;

  int32_t arrived_;  // the first plane that is not there yet
  int32_t sieved_;   // the first plane whose peaks are not known yet
  int32_t end_;      // the first plane that there never will be, once known
  int32_t fragments_ = 0;
  std::vector<Band> bands_;
  std::vector<std::vector<Peak>> ready_;
  std::vector<Component> closed_;
  std::atomic<bool> stop_{false};
};

}  // namespace somaflow
