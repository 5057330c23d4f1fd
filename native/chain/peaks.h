// Finds maxima: first the peaks of each plane, then those without an equal peak before them.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "chain/config.h"
#include "chain/sparse.h"
#include "kernels/rows.h"

namespace somaflow {

// Where the image of a plane is: the voxel (y, x) of the volume is at data[(y - rows.start) * stride + x - columns.start].
struct ImagePlane {
  const uint16_t* data = nullptr;
  ptrdiff_t stride = 0;
  Span rows, columns;
  const uint16_t* row(int32_t y) const { return data + (y - rows.start) * stride - columns.start; }
};

// The integer that stands for a threshold: v > threshold exactly where v > limit, for v in 0..65535. False: no voxel is above.
// For a threshold below 0 `all` is set, since no limit says that for 0.
struct Limit {
  uint16_t value = 0;
  bool all = false;
  bool none = false;
};
Limit limit_of(double threshold);

// Tests voxels against their whole window; shared by the threads of a job.
class PeakTest {
 public:
  explicit PeakTest(const ChainConfig& config);

  // Appends the peaks of rows [rows.start, rows.stop) of plane z, in y, x order. `planes[i]` is plane z - before + i, with
  // null data where the volume has no such plane.
  void find(const ImagePlane* planes, Span rows, Span columns, std::vector<uint64_t>& bits, std::vector<Peak>& peaks) const;

 private:
  bool is_peak(const ImagePlane* planes, int32_t y, int32_t x, uint16_t value) const;

  struct Row {
    int32_t z, y;
  };
  Window z_, y_, x_;
  Limit limit_;
  RowKernels kernels_;
  std::vector<Row> nearest_first_;  // the window's rows, so that a greater neighbour is met early
};

// Keeps the peaks of the planes that a window looks back on and drops those with an equal one before them.
class FirstOfEquals {
 public:
  explicit FirstOfEquals(const ChainConfig& config) : config_(config) {}

  // Takes the peaks of the next plane, in y, x order, and appends the maxima in the core to `seeds`.
  void add_plane(int32_t z, std::vector<Peak>&& peaks, std::vector<Seed>& seeds);

 private:
  struct PlanePeaks {
    int32_t z;
    std::vector<Peak> peaks;
    std::vector<uint32_t> row_start;
  };
  bool has_equal_before(int32_t z, const Peak& peak) const;
  bool holds_equal(const PlanePeaks& plane, int32_t y, int32_t from, int32_t to, uint16_t value) const;

  const ChainConfig& config_;
  std::deque<PlanePeaks> planes_;
};

}  // namespace somaflow
