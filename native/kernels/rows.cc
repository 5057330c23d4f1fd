#include "kernels/rows.h"

#include <cmath>
#include <limits>
#include <type_traits>

namespace somaflow {

#define SOMAFLOW_ROWS "kernels/rows.inl.h"
#include "kernels/each_target.inl.h"

template <typename T>
RowKernels<T> row_kernels(Target target) {
  return for_target<RowKernels<T>>(target, {portable::mask_bits<T>, portable::peak_bits<T>, portable::tiles_above<T>},
                                   {avx2::mask_bits<T>, avx2::peak_bits<T>, avx2::tiles_above<T>},
                                   {avx512::mask_bits<T>, avx512::peak_bits<T>, avx512::tiles_above<T>});
}

template RowKernels<uint8_t> row_kernels(Target);
template RowKernels<uint16_t> row_kernels(Target);
template RowKernels<float> row_kernels(Target);

size_t find_not_finite(Target target, float* row, size_t count) {
  return for_target(target, portable::find_not_finite, avx2::find_not_finite, avx512::find_not_finite)(row, count);
}

template <typename T>
Limit<T> limit_of(double threshold) {
  using limits = std::numeric_limits<T>;
  if constexpr (std::is_integral_v<T>) {
    if (threshold < 0) return {0, true, false};
    if (!(threshold < limits::max())) return {limits::max(), false, true};
    return {static_cast<T>(std::floor(threshold)), false, false};
  } else {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (threshold == -infinity) return {0, true, false};
    if (!(threshold < infinity)) return {limits::infinity(), false, true};
    // The greatest float that is not above the threshold; the conversion rounds to the nearest, so one step back may be needed.
    if (threshold >= limits::max()) return {limits::max(), false, false};
    if (threshold < limits::lowest()) return {-limits::infinity(), false, false};
    const float nearest = static_cast<float>(threshold);
    return {nearest > threshold ? std::nextafter(nearest, -limits::infinity()) : nearest, false, false};
  }
}

template Limit<uint8_t> limit_of(double);
template Limit<uint16_t> limit_of(double);
template Limit<float> limit_of(double);

}  // namespace somaflow
