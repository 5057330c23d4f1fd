#include "chain/gathered.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace somaflow {

Gathered::Parts::Parts(Cutter cutter, const GatheredTotals& totals, const FloodRules& rules)
    : runs(cutter.cut<Run>(totals.runs)),
      seeds(cutter.cut<Seed>(totals.seeds)),
      seed_values(cutter.cut<double>(totals.seeds * static_cast<size_t>(rules.seed_values))),
      values(cutter.cut<uint8_t>(totals.voxels * rules.voxel_bytes())),
      bytes(cutter.taken()) {}

Gathered::Gathered(const GatheredTotals& totals, const FloodRules& rules, size_t limit, const std::string& folder)
    : totals_(totals),
      voxel_bytes_(rules.voxel_bytes()),
      seed_numbers_(static_cast<size_t>(rules.seed_values)),
      parts_(Cutter(memory_.take(bytes(totals, rules), limit, folder)), totals, rules) {}

void Gathered::add(const uint8_t* bytes) {
  const FragmentView fragment = view_fragment(bytes);
  const FragmentHead& head = fragment.head;
  const size_t value_bytes = static_cast<size_t>(head.voxels) * voxel_bytes_;
  if (end_.runs + head.runs > totals_.runs || end_.seeds + head.seeds > totals_.seeds ||
      end_.values + value_bytes > totals_.voxels * voxel_bytes_ || head.seed_values != seed_numbers_)
    throw std::length_error("a fragment is larger than was said");
  std::memcpy(parts_.runs + end_.runs, fragment.runs, head.runs * sizeof(Run));
  std::memcpy(parts_.seeds + end_.seeds, fragment.seeds, head.seeds * sizeof(Seed));
  std::memcpy(parts_.seed_values + end_.seeds * seed_numbers_, fragment.seed_values, head.seeds * seed_numbers_ * sizeof(double));
  std::memcpy(parts_.values + end_.values, fragment.values, value_bytes);
  // The numbers of these seeds lie behind those of the component's earlier fragments.
  const uint32_t earlier = static_cast<uint32_t>(end_.seeds - begin_of(ends_.size()).seeds);
  for (size_t i = 0; i < head.seeds; ++i) parts_.seeds[end_.seeds + i].place += earlier;
  end_ = {end_.runs + head.runs, end_.seeds + head.seeds, end_.values + value_bytes};
  depth_ = std::max(depth_, head.depth);
}

ComponentView Gathered::component(size_t i) const {
  const End begin = begin_of(i), end = ends_[i];
  return {parts_.runs + begin.runs, end.runs - begin.runs, parts_.values + begin.values,
          parts_.seeds + begin.seeds, end.seeds - begin.seeds, parts_.seed_values + begin.seeds * seed_numbers_};
}

}  // namespace somaflow
