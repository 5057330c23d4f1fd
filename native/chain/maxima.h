// Makes maxima of the peaks of planes: all of them, or those without an equal peak before them in their window.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "chain/config.h"
#include "chain/sparse.h"

namespace somaflow {

class Maxima {
 public:
  // Peaks are known on `rows` of each plane: the core's, and those that its maxima's windows reach.
  Maxima(const Box& core, const DetectorConfig& detector, Span rows) : core_(core), detector_(detector), rows_(rows) {}

  // Takes the peaks of the next plane, in y, x order, and appends the maxima in the core to `seeds`.
  void add_plane(int32_t z, std::vector<Peak>&& peaks, std::vector<Seed>& seeds);

 private:
  struct PlanePeaks {
    int32_t z;
    std::vector<Peak> peaks;
    std::vector<uint32_t> row_start;
  };
  bool has_equal_before(int32_t z, const Peak& peak) const;
  bool holds_equal(const PlanePeaks& plane, int32_t y, int32_t from, int32_t to, uint32_t bits) const;

  const Box& core_;
  const DetectorConfig& detector_;
  const Span rows_;
  std::deque<PlanePeaks> planes_;  // those that a window looks back on
};

}  // namespace somaflow
