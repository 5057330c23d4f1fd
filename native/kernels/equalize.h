#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/opening.h"
#include "kernels/percentiles.h"
#include "kernels/sample_axis.h"
#include "kernels/target.h"

namespace somaflow {

/// What equalize is asked, of a volume of known extents. Built once; immutable; shared by threads.
class EqualizePlan {
 public:
  EqualizePlan(Percentiles percentiles, double max_value, Interpolation interpolation, SampleAxis z, SampleAxis y, SampleAxis x);

  Percentiles percentiles() const { return percentiles_; }
  double max_value() const { return max_value_; }
  Interpolation interpolation() const { return interpolation_; }
  const SampleAxis& z() const { return z_; }
  const SampleAxis& y() const { return y_; }
  const SampleAxis& x() const { return x_; }
  /// What a voxel takes along an axis. `level_cell` names the two levels of centers that a plane needs.
  SampleCell level_cell(int64_t z) const { return z_.cell(z, interpolation_); }
  SampleCell row_cell(int64_t y) const { return y_.cell(y, interpolation_); }
  /// Of each column of the plane, the weight of the upper center.
  const double* column_weights() const { return column_weights_.data(); }

  /// Bytes of scratch that each thread brings to equalize_rows, aligned to 64.
  size_t scratch_bytes() const;

 private:
  const Percentiles percentiles_;
  const double max_value_;
  const Interpolation interpolation_;
  const SampleAxis z_, y_, x_;
  std::vector<double> column_weights_;
};

/// The percentiles of a part of one level: center (y, x) is at [(y - y0) * stride + x - x0].
struct PercentileGrid {
  const double* low;
  const double* high;
  ptrdiff_t stride;
  int64_t y0, x0;
};

/// Writes `I * g` of `out_box` of plane z, rounded once to float32: g is 1 / max(low, 1), or max_value / high where high * g is above
/// max_value. No result is -0.
///
/// T is uint8_t, uint16_t or float. `lower` and `upper`, of the levels that the plan's level_cell names, hold the centers that the axes say
/// the box takes from. Both percentiles are interpolated in float64, along z, then y, then x. `source` points at pixel
/// (have.y0, have.x0) and `have` contains `out_box`; `out` points at (out_box.y0, out_box.x0); strides are in pixels. `out` must not
/// overlap `source`. The result does not depend on how a plane is cut into boxes, nor on the target.
template <typename T>
void equalize_rows(Target target, const EqualizePlan& plan, int64_t z, const PercentileGrid& lower, const PercentileGrid& upper,
                   const T* source, ptrdiff_t source_stride, PlaneBox have, PlaneBox out_box, float* out, ptrdiff_t out_stride,
                   void* scratch);

}  // namespace somaflow
