#include "kernels/sample_axis.h"

#include <algorithm>

namespace somaflow {

SampleAxis::SampleAxis(int64_t extent, int64_t spacing, int64_t window)
    : extent_(extent),
      spacing_(spacing),
      window_(window),
      count_(std::max<int64_t>(1, extent / spacing)),
      first_((extent - (count_ - 1) * spacing) / 2) {}

Stretch SampleAxis::window(int64_t number) const {
  const int64_t begin = center(number) - window_ / 2;
  return {std::max<int64_t>(0, begin), std::min(extent_, begin + window_)};
}

Stretch SampleAxis::windows(Stretch centers) const { return {window(centers.begin).begin, window(centers.end - 1).end}; }

SampleCell SampleAxis::cell(int64_t voxel, Interpolation interpolation) const {
  const int64_t last = count_ - 1;
  if (voxel <= first_) return {0, 0, 0};
  if (voxel >= center(last)) return {last, last, 0};
  const int64_t lower = (voxel - first_) / spacing_, beyond = voxel - center(lower);
  if (beyond == 0) return {lower, lower, 0};
  if (interpolation == Interpolation::nearest) return {lower, lower + 1, 2 * beyond > spacing_ ? 1.0 : 0.0};
  // The position among the centers is rounded as NumPy's interp rounds it, and only then is the fraction taken.
  const double at = static_cast<double>(lower);
  return {lower, lower + 1, 1.0 / static_cast<double>(spacing_) * static_cast<double>(beyond) + at - at};
}

Stretch SampleAxis::centers(Stretch voxels) const {
  return {cell(voxels.begin, Interpolation::linear).lower, cell(voxels.end - 1, Interpolation::linear).upper + 1};
}

}  // namespace somaflow
