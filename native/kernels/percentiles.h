#pragma once
#include <cstddef>
#include <cstdint>

#include "kernels/dtype.h"
#include "kernels/opening.h"
#include "kernels/sample_axis.h"

namespace somaflow {

/// Which two percentiles, as fractions: 0 <= low <= high <= 1.
struct Percentiles {
  double low, high;
};

/// The planes of an image that the windows of one level of centers span, of a type known elsewhere.
struct WindowPlanes {
  const void* const* planes;  ///< each points at its pixel (have.y0, have.x0); null where the volume ends
  int count;
  ptrdiff_t stride;  ///< in pixels
  PlaneBox have;     ///< contains the windows, which are clipped to the plane
};

/// Voxels whose place in these planes is 0 do not count. They are the image's own planes, and as many.
struct WindowMask {
  Dtype dtype;
  WindowPlanes planes;
};

/// Bytes of scratch that a thread brings, aligned to 64.
template <typename T>
size_t percentile_scratch_bytes();

/// Writes both percentiles of the windows of one row of centers: those numbered `centers` along x, whose windows hold `rows`.
///
/// T is uint8_t, uint16_t or float, finite and not -0. A percentile lies linearly between two order statistics, as NumPy's default does:
/// at (n - 1) p of the n voxels in ascending order, in float64. Where no voxel of a window counts both are 0; a gain of 1 follows.
///
/// Exact, whatever way is taken. Few voxels are put in order. Else voxels are counted by their value, and where windows overlap only
/// those that come and go are: the cost of a center grows with spacing_x * window_y * window_z, not with window_x. Floats
/// are counted by their upper 16 bits, and those that share the ones found by the lower 16.
template <typename T>
void percentile_row(Percentiles percentiles, const WindowPlanes& image, const WindowMask* mask, Stretch rows, const SampleAxis& x,
                    Stretch centers, double* low, double* high, void* scratch);

}  // namespace somaflow
