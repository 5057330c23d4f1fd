// Joins the mask's runs into components while planes arrive: union-find against the row and the plane before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "chain/config.h"
#include "chain/sparse.h"

namespace somaflow {

class Components {
 public:
  Components(const ChainConfig& config, const FloodRules& rules)
      : config_(config), voxel_bytes_(rules.voxel_bytes()), seed_numbers_(static_cast<size_t>(rules.seed_values)) {}

  // Takes the next plane of the core: its mask runs, in bands of rows from top to bottom, and its seeds, in y, x order, with
  // the numbers that they bring. Components that have no voxel in it are complete and move to `closed`.
  void add_plane(int32_t z, const std::vector<const PlaneMask*>& bands, const std::vector<Seed>& seeds,
                 const std::vector<double>& seed_values, std::vector<Component>& closed);

  // Takes out what is still open. A component that a later plane may extend leaves its slot behind, empty, to be
  // continued: `number` gives the number of a fragment, by which the rest will name it.
  template <typename Number>
  void take_open(std::vector<Component>& taken, const Number& number) {
    for (const int32_t slot : active_) {
      Component& component = slots_[static_cast<size_t>(slot)];
      if (component.runs.empty()) continue;
      held_ -= component.bytes();
      taken.push_back(std::move(component));
      component = Component{};
      component.last_plane = taken.back().last_plane;
      component.continues.push_back(number(taken.back()));
    }
  }

  // Marks the open components as touching another core behind the last plane.
  void touch_high_z(int32_t z);

  // Bytes of the open components.
  size_t held() const { return held_; }

 private:
  struct Labelled {
    int32_t x, stop, slot;
  };
  int32_t find(int32_t slot);
  int32_t join(int32_t a, int32_t b);
  int32_t new_slot();
  void link_row(const Labelled* begin, const Labelled* end, Labelled* run_begin, Labelled* run_end);
  void append(Component& component, const PlaneMask& band, const PlaneRun& run, int32_t z, int32_t y);
  void append(Component& component, const Seed& seed, const double* values);

  const ChainConfig& config_;
  const size_t voxel_bytes_;  // of the values that are kept of each voxel
  const size_t seed_numbers_;  // that each seed brings
  std::vector<Component> slots_;
  std::vector<int32_t> parent_;
  std::vector<int32_t> free_;
  std::vector<int32_t> active_;  // slots with a run in the last plane
  std::vector<Labelled> plane_, previous_;
  std::vector<uint32_t> row_start_, previous_row_start_;
  size_t held_ = 0;
};

}  // namespace somaflow
