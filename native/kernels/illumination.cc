#include "kernels/illumination.h"

#include <limits>

namespace somaflow {

namespace {

template <typename T>
constexpr double lowest = std::numeric_limits<T>::lowest();
template <typename T>
constexpr double greatest = std::numeric_limits<T>::max();

template <typename T>
using CorrectRow = void (*)(const T*, const double* flatfield, const double* background, double scaling, T* out, size_t count);

#define SOMAFLOW_ROWS "kernels/illumination_rows.inl.h"
#include "kernels/each_target.inl.h"

template <typename T>
CorrectRow<T> row_kernel(Target target) {
  return for_target<CorrectRow<T>>(target, portable::correct_row<T>, avx2::correct_row<T>, avx512::correct_row<T>);
}

}  // namespace

template <typename T>
void correct_illumination(Target target, const IlluminationPlan& plan, const T* source, ptrdiff_t source_stride, PlaneBox have,
                          PlaneBox box, T* out, ptrdiff_t out_stride) {
  if (box.x1 <= box.x0) return;
  const CorrectRow<T> correct_row = row_kernel<T>(target);
  for (int64_t y = box.y0; y < box.y1; ++y) {
    const int64_t pixel = y * plan.width + box.x0;
    correct_row(source + (y - have.y0) * source_stride + (box.x0 - have.x0), plan.flatfield + pixel,
                plan.background ? plan.background + pixel : nullptr, plan.scaling, out + (y - box.y0) * out_stride,
                static_cast<size_t>(box.x1 - box.x0));
  }
}

template void correct_illumination(Target, const IlluminationPlan&, const uint8_t*, ptrdiff_t, PlaneBox, PlaneBox, uint8_t*, ptrdiff_t);
template void correct_illumination(Target, const IlluminationPlan&, const uint16_t*, ptrdiff_t, PlaneBox, PlaneBox, uint16_t*, ptrdiff_t);
template void correct_illumination(Target, const IlluminationPlan&, const float*, ptrdiff_t, PlaneBox, PlaneBox, float*, ptrdiff_t);

}  // namespace somaflow
