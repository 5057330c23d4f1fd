#pragma once
#include <algorithm>
#include <cstdint>

namespace somaflow {

/// Walks through counts, from where it last was.
template <int lanes, int bins>
class Ranks {
 public:
  Ranks(const uint32_t* counts) : counts_(counts), next_(sum(0)) {}

  /// The bin of the voxel that `rank` voxels come before, and how many are in the bins before it.
  struct Place {
    uint32_t bin;
    uint64_t below;
  };
  Place of(uint64_t rank) {
    while (rank < below_) below_ -= next_ = sum(--block_);
    while (below_ + next_ <= rank) {
      below_ += next_;
      next_ = sum(++block_);
    }
    Place place{block_ * block_bins, below_};
    for (uint32_t here; place.below + (here = at(place.bin)) <= rank; ++place.bin) place.below += here;
    return place;
  }

 private:
  static constexpr uint32_t block_bins = 128;
  uint64_t sum(uint32_t block) const {
    uint32_t sum = 0;
    for (uint32_t bin = 0; bin < block_bins; ++bin) sum += at(block * block_bins + bin);
    return sum;
  }
  uint32_t at(uint32_t bin) const {
    uint32_t sum = 0;
    for (int lane = 0; lane < lanes; ++lane) sum += counts_[lane * bins + bin];
    return sum;
  }

  const uint32_t* counts_;
  uint32_t block_ = 0;
  uint64_t below_ = 0, next_;
};

/// Where a percentile lies in ascending order: between the voxels of two ranks.
struct Between {
  uint64_t before, after;
  double weight;

  Between(double percentile, uint64_t count) {
    const double position = static_cast<double>(count - 1) * percentile;
    before = std::min(static_cast<uint64_t>(position), count - 1);
    after = std::min(before + 1, count - 1);
    weight = position - static_cast<double>(before);
  }
  /// NumPy's formula, from the nearer end.
  double of(double a, double b) const { return weight < 0.5 ? a + (b - a) * weight : b - (b - a) * (1 - weight); }
};

}  // namespace somaflow
