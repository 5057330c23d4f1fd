// Components put together from fragments: each kind of their parts one array.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "chain/channels.h"
#include "chain/flood.h"
#include "chain/fragments.h"
#include "chain/scratch.h"

namespace somaflow {

// Of all components of a batch.
struct GatheredTotals {
  size_t voxels = 0, runs = 0, seeds = 0;
};

class Gathered {
 public:
  // Takes its memory at once; beyond `limit` bytes a file in `folder`. Throws std::runtime_error if there is no room for that.
  Gathered(const GatheredTotals& totals, const FloodRules& rules, size_t limit, const std::string& folder);

  static size_t bytes(const GatheredTotals& totals, const FloodRules& rules) { return Parts(Cutter(), totals, rules).bytes; }

  // Takes a fragment of the component under way, which may lie at any address. Throws std::length_error if there is more of it
  // than was said.
  void add(const uint8_t* fragment);
  // Says that the component under way has all its fragments.
  void close() { ends_.push_back(end_); }

  size_t size() const { return ends_.size(); }
  ComponentView component(size_t i) const;

  // The depth of the volume as far as the fragments know it, else 0.
  int32_t depth() const { return depth_; }

 private:
  struct Parts {
    Parts(Cutter cutter, const GatheredTotals& totals, const FloodRules& rules);
    Run* runs;
    Seed* seeds;
    double* seed_values;
    uint8_t* values;
    size_t bytes;
  };
  struct End {
    size_t runs = 0, seeds = 0, values = 0;  // values in bytes
  };
  End begin_of(size_t component) const { return component == 0 ? End{} : ends_[component - 1]; }

  const GatheredTotals totals_;
  const size_t voxel_bytes_, seed_numbers_;
  Scratch memory_;
  const Parts parts_;
  End end_;
  std::vector<End> ends_;
  int32_t depth_ = 0;
};

}  // namespace somaflow
