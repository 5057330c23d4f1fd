#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/opening.h"
#include "kernels/target.h"

namespace somaflow {

/// The box and the Gaussians of a difference of Gaussians, axis by axis: z, y, x.
struct DogOptions {
  std::array<int, 3> size;               ///< voxels, 1 to DogPlan::size_max each
  std::array<double, 3> sigma, sigma2;   ///< voxels, finite and above 0, of the Gaussian that is kept and the one that is subtracted
};

/// The weights of a difference of Gaussians.
///
/// Both Gaussians are symmetric about the center of the box, so taps are read in mirrored pairs. The two middle taps are the
/// central pair; for an odd size both are the same voxel. Because the weights sum to 1, a correlation along an axis is half
/// the central pair plus `weight * (pair - central pair)` of the other pairs: of equal voxels exactly their value, whatever
/// the size, so that a constant image has no difference at all.
///
/// Built once for its options; immutable; shared by threads.
class DogPlan {
 public:
  static constexpr int size_max = 128;

  /// One axis of both Gaussians. Pair j, from the center outward, is taps `low - 1 - j` and `high + 1 + j`.
  struct Axis {
    explicit Axis(int size, double sigma, double sigma2);
    int size, low, high;
    std::vector<float> narrow, wide;  ///< the weights of the pairs
    /// Voxels that are read before and after each.
    int before() const { return high; }
    int after() const { return low; }
    int pairs() const { return low; }
  };

  explicit DogPlan(const DogOptions& options);

  const Axis& z() const { return axes_[0]; }
  const Axis& y() const { return axes_[1]; }
  const Axis& x() const { return axes_[2]; }
  /// Bytes of scratch that each thread brings, aligned to 64.
  size_t scratch_bytes() const;

  int strip() const { return strip_; }                 ///< greatest number of columns filtered at once
  size_t stride() const { return stride_; }            ///< of every row in scratch, in floats
  int ring_rows() const { return axes_[1].size + 1; }  ///< rows that two rows of the result need

 private:
  const std::array<Axis, 3> axes_;
  int strip_;
  size_t stride_;
};

/// Where a position outside [0, extent) is read: edges reflect (d c b a | a b c d), again and again.
int64_t reflected(int64_t at, int64_t extent);

/// Writes D where D > 2^-20 |A|, else 0, of `out_box` of one plane: D = A - B, the difference of both Gaussians of the plan.
/// T is uint8_t, uint16_t or float.
///
/// `planes` are the z().size planes from z - z().before() on, in each of which the volume's edge in z is already reflected;
/// each points at pixel (have.y0, have.x0). `have` contains `out_box` grown by the plan's before and after in y and x and
/// clipped to the plane [0, height) x [0, width); reflection never needs more. `out` points at (out_box.y0, out_box.x0).
/// Strides are in pixels. `out` must not overlap the planes.
///
/// The result does not depend on how a plane is cut into boxes, nor on the target, because every voxel is made by the same
/// operations: along z, then y, then x, the central pair halved, then pairs from the center outward, each
/// `sum = sum + weight * ((tap + mirrored tap) - central pair)`. Pairs of integers are added and subtracted as int32, which
/// is exact, and converted once for both Gaussians; all else is float32, each operation rounded by itself. Floats have to be
/// finite and not -0; beyond a magnitude of 2^125 sums may overflow. The result has no -0.
template <typename T>
void subtract_gaussians(Target target, const DogPlan& plan, const T* const* planes, ptrdiff_t source_stride, PlaneBox have, int64_t height,
                        int64_t width, PlaneBox out_box, float* out, ptrdiff_t out_stride, void* scratch);

}  // namespace somaflow
