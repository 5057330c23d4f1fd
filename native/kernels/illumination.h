#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/opening.h"
#include "kernels/target.h"

namespace somaflow {

/// What the planes of a volume are corrected by. Flat field and background have the extent of the volume's planes, row after
/// row; they belong to the caller, who leaves them as they are. Immutable; shared by threads.
///
/// Everywhere F - B has to be above 0 and finite, and so has the scaling: then no result is NaN.
struct IlluminationPlan {
  const double* flatfield;
  const double* background;  ///< null: 0 everywhere
  int64_t width;             ///< of the volume's planes, in pixels
  double scaling;
};

/// Writes `((I - B) / (F - B)) * scaling` of `out_box`, from left to right in float64. T is uint8_t, uint16_t or float: the
/// integers are rounded half to even and saturated, floats rounded once, to the greatest finite one if they exceed it.
///
/// `source` points at pixel (have.y0, have.x0), and `have` contains `out_box`. `out` points at (out_box.y0, out_box.x0).
/// Strides are in pixels. `out` must not overlap `source`. Floats have to be finite; the result is, and has no -0.
/// The result does not depend on how a plane is cut into boxes, nor on the target.
template <typename T>
void correct_illumination(Target target, const IlluminationPlan& plan, const T* source, ptrdiff_t source_stride, PlaneBox have,
                          PlaneBox out_box, T* out, ptrdiff_t out_stride);

}  // namespace somaflow
