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

  // Appends the voxels of row y and the columns given that are above the threshold and that no neighbour in their plane exceeds, and asks
  // for what the test of them reads of the other planes. `planes[i]` is plane z - before + i, with null data where the
  // volume has no such plane. Where `bits` are known, a word of them for each 64 columns, those of words that are 0 are not above the threshold;
  // else they are found out. They are used up.
  void candidates(const ImagePlane* planes, int32_t y, Span columns, bool known, std::vector<uint64_t>& bits, std::vector<Peak>& found) const;

  // Appends those candidates that are peaks.
  void judge(const ImagePlane* planes, const std::vector<Peak>& candidates, std::vector<Peak>& peaks) const;

 private:
  bool is_peak(const ImagePlane* planes, int32_t y, int32_t x) const;

  struct Row {
    int32_t z, y;
  };
  Window z_, y_, x_;
  Limit<T> limit_;
  RowKernels<T> kernels_;
  std::vector<Row> nearest_first_;  // the window's rows, so that a greater neighbour is met early
};

}  // namespace somaflow
