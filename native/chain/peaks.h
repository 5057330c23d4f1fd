// Finds the voxels of a plane that no voxel of their window exceeds.
#pragma once

#include <cstdint>
#include <vector>

#include "chain/config.h"
#include "chain/image_plane.h"
#include "chain/sparse.h"
#include "kernels/rows.h"

namespace somaflow {

// Tests voxels of type T against their whole window; shared by the threads of a job.
template <typename T>
class PeakTest {
 public:
  PeakTest(const DetectorConfig& detector, Target target);

  // Appends the peaks of rows [rows.start, rows.stop) and the columns given of a plane, in y, x order. `planes[i]` is plane
  // z - before + i, with null data where the volume has no such plane.
  void find(const ImagePlane* planes, Span rows, Span columns, std::vector<uint64_t>& bits, std::vector<Peak>& peaks) const;

 private:
  bool is_peak(const ImagePlane* planes, int32_t y, int32_t x, T value) const;

  struct Row {
    int32_t z, y;
  };
  Window z_, y_, x_;
  Limit<T> limit_;
  RowKernels<T> kernels_;
  std::vector<Row> nearest_first_;  // the window's rows, so that a greater neighbour is met early
};

}  // namespace somaflow
