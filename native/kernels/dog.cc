#include "kernels/dog.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

namespace somaflow {

namespace {

using Axis = DogPlan::Axis;

/// What pairs of pixels are added as.
template <typename T>
using Sum = std::conditional_t<std::is_same_v<T, float>, float, int32_t>;

template <int... lane>
using Lanes = std::integer_sequence<int, lane...>;
template <int width>
using LanesOf = std::make_integer_sequence<int, width>;

/// The share of the narrow Gaussian up to which a difference is taken for rounding.
constexpr float rounding = 0x1p-20f;

/// The row kernels of one target.
template <typename T>
struct Kernels {
  void (*blend_planes)(const T* const* rows, const Axis&, float* narrow, float* wide, int count);
  void (*blend_rows)(const float* const* rows, int low, int high, const float* weights, float* first, float* second, int count);
  void (*subtract_columns)(const float* narrow, const float* wide, const Axis&, float* out, int count);
};

#define SOMAFLOW_ROWS "kernels/dog_rows.inl.h"
#include "kernels/each_target.inl.h"

template <typename T>
const Kernels<T>& kernels_for(Target target) {
  return for_target(target, portable::kernels<T>, avx2::kernels<T>, avx512::kernels<T>);
}

constexpr size_t line = 64 / sizeof(float);

/// The weights of the pairs of a Gaussian cut to `size` taps and normalised to sum 1 there, center outward.
std::vector<float> pair_weights(int size, double sigma) {
  // Sampled at the distances of the pairs from the center. What is common to all samples is left out before the exponential,
  // so that the central ones are 1 for any sigma, and never all of them 0.
  const double nearest = size % 2 == 0 ? 0.5 : 0;
  std::vector<double> samples;
  double sum = size % 2 == 0 ? 2 : 1;
  for (int j = 1; j <= (size - 1) / 2; ++j) {
    const double distance = nearest + j;
    samples.push_back(std::exp(-((distance * distance - nearest * nearest) / sigma / sigma / 2)));
    sum += 2 * samples.back();
  }
  std::vector<float> weights;
  for (double sample : samples) weights.push_back(static_cast<float>(sample / sum));
  return weights;
}

}  // namespace

DogPlan::Axis::Axis(int size, double sigma, double sigma2)
    : size(size), low((size - 1) / 2), high(size / 2), narrow(pair_weights(size, sigma)), wide(pair_weights(size, sigma2)) {}

DogPlan::DogPlan(const DogOptions& options)
    : axes_{Axis(options.size[0], options.sigma[0], options.sigma2[0]), Axis(options.size[1], options.sigma[1], options.sigma2[1]),
            Axis(options.size[2], options.sigma[2], options.sigma2[2])} {
  // Wide strips read each neighborhood less often and in longer runs, narrow ones keep the ring in L2. An odd number of cache
  // lines keeps the rows of a column out of the same few L1 sets.
  for (strip_ = 1024;; strip_ /= 2) {
    stride_ = ((strip_ + x().size - 1 + line - 1) / line | 1) * line;
    if (strip_ <= 256 || scratch_bytes() <= 256 * 1024) break;
  }
}

size_t DogPlan::scratch_bytes() const {
  const size_t rows = 2 * ring_rows() + 4, pointers = 4 * ring_rows();
  return (rows * stride_ * sizeof(float) + pointers * sizeof(float*) + 63) / 64 * 64;
}

int64_t reflected(int64_t at, int64_t extent) {
  const int64_t period = 2 * extent, inside = ((at % period) + period) % period;
  return inside < extent ? inside : period - 1 - inside;
}

template <typename T>
void subtract_gaussians(Target target, const DogPlan& plan, const T* const* planes, ptrdiff_t source_stride, PlaneBox have, int64_t height,
                        int64_t width, PlaneBox box, float* out, ptrdiff_t out_stride, void* memory) {
  const Kernels<T>& kernels = kernels_for<T>(target);
  const Axis &z = plan.z(), &y = plan.y(), &x = plan.x();
  const int64_t columns = box.x1 - box.x0;
  if (columns <= 0 || box.y1 <= box.y0) return;
  const int64_t strips = (columns + plan.strip() - 1) / plan.strip();
  const int64_t strip = (columns + strips - 1) / strips;

  // Row n of the ring is in slot n modulo its height; the slots are listed twice, so that any window of them is a list.
  const int ring_rows = plan.ring_rows();
  float* next = static_cast<float*>(memory);
  const auto take_row = [&] { return std::exchange(next, next + plan.stride()); };
  float* blended[2][2];
  for (auto& pair : blended) pair[0] = take_row(), pair[1] = take_row();
  float** const narrow_ring = reinterpret_cast<float**>(next + 2 * ring_rows * plan.stride());
  float** const wide_ring = narrow_ring + 2 * ring_rows;
  for (int i = 0; i < ring_rows; ++i) {
    narrow_ring[i] = narrow_ring[i + ring_rows] = take_row();
    wide_ring[i] = wide_ring[i + ring_rows] = take_row();
  }
  const T* rows[DogPlan::size_max];

  for (int64_t x0 = box.x0; x0 < box.x1; x0 += strip) {
    const int count = static_cast<int>(std::min(strip, box.x1 - x0)), read = count + x.size - 1;
    // The columns [begin, end) of the strip and its neighborhood are in the plane, the others are reflections of them.
    const int64_t first = x0 - x.before();
    const int begin = static_cast<int>(std::max<int64_t>(0, -first)), end = static_cast<int>(std::min<int64_t>(read, width - first));
    const auto reflect = [&](float* row) {
      for (int i = 0; i < begin; ++i) row[i] = row[reflected(first + i, width) - first];
      for (int i = end; i < read; ++i) row[i] = row[reflected(first + i, width) - first];
    };

    int64_t fed = 0;
    for (int64_t row = box.y0; row < box.y1; row += 2) {
      for (const int64_t until = row - box.y0 + ring_rows; fed < until; ++fed) {
        // The second of two rows may lie beyond the box, and is then made of whatever is at hand.
        const int64_t from = reflected(std::min(box.y0 - y.before() + fed, box.y1 - 1 + y.after()), height);
        for (int i = 0; i < z.size; ++i) rows[i] = planes[i] + (from - have.y0) * source_stride + (first + begin - have.x0);
        kernels.blend_planes(rows, z, narrow_ring[fed % ring_rows], wide_ring[fed % ring_rows], end - begin);
      }
      const int64_t oldest = (row - box.y0) % ring_rows;
      kernels.blend_rows(narrow_ring + oldest, y.low, y.high, y.narrow.data(), blended[0][0] + begin, blended[1][0] + begin, end - begin);
      kernels.blend_rows(wide_ring + oldest, y.low, y.high, y.wide.data(), blended[0][1] + begin, blended[1][1] + begin, end - begin);
      for (int i = 0; i < std::min<int64_t>(2, box.y1 - row); ++i) {
        for (float* gaussian : blended[i]) reflect(gaussian);
        kernels.subtract_columns(blended[i][0], blended[i][1], x, out + (row + i - box.y0) * out_stride + (x0 - box.x0), count);
      }
    }
  }
}

template void subtract_gaussians(Target, const DogPlan&, const uint8_t* const*, ptrdiff_t, PlaneBox, int64_t, int64_t, PlaneBox, float*, ptrdiff_t, void*);
template void subtract_gaussians(Target, const DogPlan&, const uint16_t* const*, ptrdiff_t, PlaneBox, int64_t, int64_t, PlaneBox, float*, ptrdiff_t, void*);
template void subtract_gaussians(Target, const DogPlan&, const float* const*, ptrdiff_t, PlaneBox, int64_t, int64_t, PlaneBox, float*, ptrdiff_t, void*);

}  // namespace somaflow
