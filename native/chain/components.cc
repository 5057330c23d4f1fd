#include "chain/components.h"

#include <algorithm>
#include <utility>

namespace somaflow {

int32_t Components::find(int32_t slot) {
  while (parent_[static_cast<size_t>(slot)] != slot) {
    int32_t& up = parent_[static_cast<size_t>(slot)];
    up = parent_[static_cast<size_t>(up)];
    slot = up;
  }
  return slot;
}

int32_t Components::new_slot() {
  if (!free_.empty()) {
    const int32_t slot = free_.back();
    free_.pop_back();
    parent_[static_cast<size_t>(slot)] = slot;
    active_.push_back(slot);
    return slot;
  }
  const int32_t slot = static_cast<int32_t>(slots_.size());
  slots_.emplace_back();
  parent_.push_back(slot);
  active_.push_back(slot);
  return slot;
}

namespace {

template <typename T>
void append_all(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

int32_t Components::join(int32_t a, int32_t b) {
  a = find(a);
  b = find(b);
  if (a == b) return a;
  if (slots_[static_cast<size_t>(a)].runs.size() < slots_[static_cast<size_t>(b)].runs.size()) std::swap(a, b);
  Component& to = slots_[static_cast<size_t>(a)];
  Component& from = slots_[static_cast<size_t>(b)];
  held_ -= to.bytes() + from.bytes();
  append_all(to.runs, from.runs);
  append_all(to.values, from.values);
  const uint32_t places = static_cast<uint32_t>(to.seeds.size());
  for (const Seed& seed : from.seeds) to.seeds.push_back({seed.z, seed.y, seed.x, places + seed.place});
  append_all(to.seed_values, from.seed_values);
  append_all(to.continues, from.continues);
  to.last_plane = std::max(to.last_plane, from.last_plane);
  to.faces |= from.faces;
  held_ += to.bytes();
  from = Component{};
  parent_[static_cast<size_t>(b)] = a;
  return a;
}

// Joins the runs of a row with those of a neighbouring row that they touch: both sorted by x, walked side by side.
void Components::link_row(const Labelled* begin, const Labelled* end, Labelled* run_begin, Labelled* run_end) {
  const Labelled* other = begin;
  for (Labelled* run = run_begin; run != run_end; ++run) {
    while (other != end && other->stop <= run->x) ++other;
    for (const Labelled* at = other; at != end && at->x < run->stop; ++at)
      run->slot = run->slot < 0 ? find(at->slot) : join(run->slot, at->slot);
  }
}

void Components::append(Component& component, const PlaneMask& band, const PlaneRun& run, int32_t z, int32_t y) {
  held_ -= component.bytes();
  component.runs.push_back({z, y, run.x, run.length});
  const auto values = band.values.begin() + run.value;
  const size_t bytes = voxel_bytes_ * static_cast<size_t>(run.length);
  component.values.insert(component.values.end(), values, values + static_cast<ptrdiff_t>(bytes));
  held_ += component.bytes();
  component.last_plane = z;
  const Box& core = config_.core;
  uint8_t faces = 0;
  if (z == core.z.start && config_.inner_low[0]) faces |= kLowZ;
  if (y == core.y.start && config_.inner_low[1]) faces |= kLowY;
  if (y == core.y.stop - 1 && config_.inner_high[1]) faces |= kHighY;
  if (run.x == core.x.start && config_.inner_low[2]) faces |= kLowX;
  if (run.x + run.length == core.x.stop && config_.inner_high[2]) faces |= kHighX;
  component.faces |= faces;
}

void Components::append(Component& component, const Seed& seed, const double* values) {
  held_ -= component.bytes();
  component.seeds.push_back({seed.z, seed.y, seed.x, static_cast<uint32_t>(component.seeds.size())});
  component.seed_values.insert(component.seed_values.end(), values, values + seed_numbers_);
  held_ += component.bytes();
}

void Components::add_plane(int32_t z, const std::vector<const PlaneMask*>& bands, const std::vector<Seed>& seeds,
                           const std::vector<double>& seed_values, std::vector<Component>& closed) {
  std::swap(plane_, previous_);
  std::swap(row_start_, previous_row_start_);
  plane_.clear();
  row_start_.clear();
  const size_t rows = static_cast<size_t>(config_.core.y.size());
  std::vector<int32_t> before = std::move(active_);
  active_.clear();

  int32_t y = config_.core.y.start;
  for (const PlaneMask* band : bands) {
    for (size_t row = 0; row + 1 < band->row_runs.size(); ++row, ++y) {
      const size_t begin = plane_.size();
      row_start_.push_back(static_cast<uint32_t>(begin));
      const uint32_t first = band->row_runs[row], last = band->row_runs[row + 1];
      if (first == last) continue;
      for (uint32_t i = first; i < last; ++i) {
        const PlaneRun& run = band->runs[i];
        plane_.push_back({run.x, run.x + run.length, -1});
      }
      Labelled* const run_begin = plane_.data() + begin;
      Labelled* const run_end = plane_.data() + plane_.size();
      const size_t at = static_cast<size_t>(y - config_.core.y.start);
      if (at > 0) link_row(plane_.data() + row_start_[at - 1], run_begin, run_begin, run_end);
      if (!previous_row_start_.empty())
        link_row(previous_.data() + previous_row_start_[at], previous_.data() + previous_row_start_[at + 1], run_begin, run_end);
      for (uint32_t i = first; i < last; ++i) {
        Labelled& run = plane_[begin + i - first];
        if (run.slot < 0) run.slot = new_slot();
        append(slots_[static_cast<size_t>(find(run.slot))], *band, band->runs[i], z, y);
      }
    }
  }
  while (row_start_.size() <= rows) row_start_.push_back(static_cast<uint32_t>(plane_.size()));

  // From here on runs name their roots, so that joined slots are free again.
  for (Labelled& run : plane_) run.slot = find(run.slot);
  const double* values = seed_values.data();
  for (const Seed& seed : seeds) {
    const size_t row = static_cast<size_t>(seed.y - config_.core.y.start);
    const auto begin = plane_.begin() + row_start_[row], end = plane_.begin() + row_start_[row + 1];
    const auto run = std::upper_bound(begin, end, seed.x, [](int32_t x, const Labelled& r) { return x < r.stop; });
    append(slots_[static_cast<size_t>(run->slot)], seed, values);
    values += seed_numbers_;
  }
  before.insert(before.end(), active_.begin(), active_.end());
  active_.clear();
  for (const int32_t slot : before) {
    Component& component = slots_[static_cast<size_t>(slot)];
    const bool root = parent_[static_cast<size_t>(slot)] == slot;
    if (root && component.last_plane == z) {
      active_.push_back(slot);
      continue;
    }
    if (root && !component.runs.empty()) {
      held_ -= component.bytes();
      closed.push_back(std::move(component));
    }
    component = Component{};
    free_.push_back(slot);
  }
}

void Components::touch_high_z(int32_t z) {
  for (const int32_t slot : active_) {
    Component& component = slots_[static_cast<size_t>(slot)];
    if (component.last_plane == z && !component.runs.empty()) component.faces |= kHighZ;
  }
}

}  // namespace somaflow
