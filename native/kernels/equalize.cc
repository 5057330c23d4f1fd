#include "kernels/equalize.h"

#include <algorithm>

namespace somaflow {

namespace {

/// The row kernels of one target.
template <typename T>
struct Kernels {
  void (*mix_centers)(const double*, const double*, const double*, const double*, double, double, double*, int);
  void (*mix_voxels)(double, double, double, double, const double*, double*, double*, int);
  void (*invert)(double*, const double*, double, double*, int);
  void (*apply_gains)(const T*, const double*, const double*, const double*, double, float*, int);
};

#define SOMAFLOW_ROWS "kernels/equalize_rows.inl.h"
#include "kernels/each_target.inl.h"

template <typename T>
const Kernels<T>& kernels_for(Target target) {
  return for_target(target, portable::kernels<T>, avx2::kernels<T>, avx512::kernels<T>);
}

/// Columns whose percentiles are in L1 between the row kernels.
constexpr int piece = 512;

}  // namespace

EqualizePlan::EqualizePlan(Percentiles percentiles, double max_value, Interpolation interpolation, SampleAxis z, SampleAxis y, SampleAxis x)
    : percentiles_(percentiles), max_value_(max_value), interpolation_(interpolation), z_(z), y_(y), x_(x) {
  for (int64_t column = 0; column < x.extent(); ++column) column_weights_.push_back(x.cell(column, interpolation).weight);
}

size_t EqualizePlan::scratch_bytes() const { return 2 * static_cast<size_t>(x_.count()) * sizeof(double); }

template <typename T>
void equalize_rows(Target target, const EqualizePlan& plan, int64_t z, const PercentileGrid& lower, const PercentileGrid& upper,
                   const T* source, ptrdiff_t source_stride, PlaneBox have, PlaneBox box, float* out, ptrdiff_t out_stride, void* scratch) {
  if (box.x1 <= box.x0 || box.y1 <= box.y0) return;
  const Kernels<T>& kernels = kernels_for<T>(target);
  const SampleAxis& axis = plan.x();
  const Stretch taken = axis.centers({box.x0, box.x1});
  const int centers = static_cast<int>(taken.end - taken.begin);
  double* const low = static_cast<double*>(scratch);
  double* const high = low + centers;
  const double z_weight = plan.level_cell(z).weight;
  double lows[piece], highs[piece], most[piece];

  for (int64_t y = box.y0; y < box.y1; ++y) {
    const SampleCell row = plan.row_cell(y);
    auto mix = [&](double* mixed, const double* PercentileGrid::*of) {
      auto at = [&](const PercentileGrid& grid, int64_t center) { return grid.*of + (center - grid.y0) * grid.stride + taken.begin - grid.x0; };
      kernels.mix_centers(at(lower, row.lower), at(lower, row.upper), at(upper, row.lower), at(upper, row.upper), z_weight, row.weight, mixed,
                          centers);
    };
    mix(low, &PercentileGrid::low);
    mix(high, &PercentileGrid::high);

    const T* const from = source + (y - have.y0) * source_stride - have.x0;
    float* const to = out + (y - box.y0) * out_stride - box.x0;
    for (int64_t x = box.x0, until; x < box.x1; x = until) {
      until = std::min(x + piece, box.x1);
      for (int64_t at = x, end; at < until; at = end) {
        // Up to the next center; beyond the last, whose column weights are 0, to the end.
        const int64_t center = axis.cell(at, Interpolation::linear).lower;
        end = center + 1 < taken.end ? std::min(axis.center(center + 1), until) : until;
        const int64_t here = center - taken.begin, next = std::min(here + 1, int64_t{centers} - 1);
        kernels.mix_voxels(low[here], low[next], high[here], high[next], plan.column_weights() + at, lows + (at - x), highs + (at - x),
                           static_cast<int>(end - at));
      }
      const int columns = static_cast<int>(until - x);
      kernels.invert(lows, highs, plan.max_value(), most, columns);
      kernels.apply_gains(from + x, lows, highs, most, plan.max_value(), to + x, columns);
    }
  }
}

template void equalize_rows(Target, const EqualizePlan&, int64_t, const PercentileGrid&, const PercentileGrid&, const uint8_t*, ptrdiff_t,
                            PlaneBox, PlaneBox, float*, ptrdiff_t, void*);
template void equalize_rows(Target, const EqualizePlan&, int64_t, const PercentileGrid&, const PercentileGrid&, const uint16_t*, ptrdiff_t,
                            PlaneBox, PlaneBox, float*, ptrdiff_t, void*);
template void equalize_rows(Target, const EqualizePlan&, int64_t, const PercentileGrid&, const PercentileGrid&, const float*, ptrdiff_t,
                            PlaneBox, PlaneBox, float*, ptrdiff_t, void*);

}  // namespace somaflow
