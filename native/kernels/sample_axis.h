#pragma once
#include <cstdint>

namespace somaflow {

/// From `begin` to before `end`: voxels along an axis, or centers by their number.
struct Stretch {
  int64_t begin, end;
};

/// How statistics are carried from centers to voxels: from the nearest center, or linearly between two.
enum class Interpolation : uint8_t { nearest, linear };

/// What a voxel takes along an axis: that of center `lower` times 1 - weight, and that of `upper` times weight.
struct SampleCell {
  int64_t lower, upper;
  double weight;
};

/// The centers of local statistics along one axis and the windows around them, as SPEC.md defines them under equalize.
///
/// They are anchored on the whole volume, so what a voxel takes does not depend on the block that it is in. No center that a voxel
/// takes anything from is further away than spacing - 1.
class SampleAxis {
 public:
  /// Voxels of the whole volume, between centers, and of a window; each at least 1.
  SampleAxis(int64_t extent, int64_t spacing, int64_t window);

  int64_t extent() const { return extent_; }
  int64_t count() const { return count_; }
  int64_t center(int64_t number) const { return first_ + number * spacing_; }
  /// The voxels of a center's window, clipped to the volume; at least the center itself.
  Stretch window(int64_t number) const;
  /// The voxels of the window of any center of a stretch that is not empty.
  Stretch windows(Stretch centers) const;

  /// Constant beyond the outer centers. Of two centers that are equally near the lower one is the nearest.
  SampleCell cell(int64_t voxel, Interpolation) const;
  /// The centers that the voxels of a stretch that is not empty take anything from.
  Stretch centers(Stretch voxels) const;

 private:
  int64_t extent_, spacing_, window_, count_, first_;
};

}  // namespace somaflow
