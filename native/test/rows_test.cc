// Compares the row kernels, limit_of and find_not_finite with their definitions, on drawn rows and at edge values. By hand:
//   g++ -std=c++20 -O3 -ffp-contract=off -fno-math-errno -I native native/test/rows_test.cc native/kernels/rows.cc
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/dtype.h"
#include "kernels/rows.h"

using namespace somaflow;

namespace {

std::mt19937_64 generator(20240607);
int draw(int low, int high) { return std::uniform_int_distribution<int>(low, high)(generator); }

constexpr double infinity = std::numeric_limits<double>::infinity();

/// What was checked, and how often.
struct Count {
  int wrong = 0;
  std::map<std::string, int> reached;
  void right(bool is, const char* what, const char* type, double of) {
    if (!is && ++wrong <= 20) std::printf("WRONG: %s of %s, %.17g\n", what, type, of);
  }
};

template <typename T>
constexpr const char* type_name = sizeof(T) == 1 ? "uint8" : sizeof(T) == 2 ? "uint16" : "float32";

/// Floats beside each other, at both ends, around 0 and at random; every integer of a small type.
template <typename T>
std::vector<T> edge_values() {
  std::vector<T> values;
  if constexpr (std::is_integral_v<T>) {
    for (int value = 0; value <= std::numeric_limits<T>::max(); value += sizeof(T) == 1 || value < 300 || value > 65000 ? 1 : 97) {
      values.push_back(static_cast<T>(value));
    }
  } else {
    using limits = std::numeric_limits<float>;
    std::vector<float> centers{0, 1, 700, 0.1f, 16777216, limits::denorm_min(), limits::min(), limits::max()};
    for (int i = 0; i < 40; ++i) {
      const auto bits = static_cast<uint32_t>(generator()) & 0x7fffffff;
      float drawn;
      std::memcpy(&drawn, &bits, sizeof drawn);
      if (std::isfinite(drawn)) centers.push_back(drawn);
    }
    for (float center : centers) {
      for (float sign : {1.0f, -1.0f}) {
        const float value = sign * center;
        for (float near : {std::nextafter(value, limits::lowest()), value, std::nextafter(value, limits::max())}) values.push_back(near);
      }
    }
  }
  return values;
}

/// limit_of against the comparison in float64, for thresholds on, just below, just above and far from every value.
template <typename T>
void check_limits(Count& count) {
  const std::vector<T> values = edge_values<T>();
  std::vector<double> thresholds{-infinity, infinity, std::nan(""), -0.0, -1, -0.5, 254.5, 255, 256, 65534.5, 65535, 65536, 1e300, -1e300, 1e-300, -1e-300};
  for (T value : values) {
    const double wide = value;
    for (double threshold : {wide, std::nextafter(wide, -infinity), std::nextafter(wide, infinity), wide + 0.5, wide - 0.5}) thresholds.push_back(threshold);
  }
  for (double threshold : thresholds) {
    const Limit<T> limit = limit_of<T>(threshold);
    ++count.reached["thresholds"];
    count.reached["thresholds below all"] += limit.all;
    count.reached["thresholds above all"] += limit.none;
    bool right = !(limit.all && limit.none);
    for (T value : values) right &= (value > threshold) == (limit.all || (!limit.none && value > limit.value));
    count.right(right, "limit_of", type_name<T>, threshold);
  }
  count.right(limit_of<T>(-infinity).all, "limit_of", type_name<T>, -infinity);
}

template <typename T>
T draw_value(int kind) {
  using limits = std::numeric_limits<T>;
  if (kind == 0) return draw(0, 1) ? limits::max() : limits::lowest();
  if constexpr (std::is_floating_point_v<T>) {
    if (kind == 1) return draw(-2, 2) * limits::denorm_min() + 0.0f;
    if (kind == 2) return static_cast<T>(draw(-3000, 3000)) / 7;
  }
  return static_cast<T>(kind == 1 ? draw(0, limits::max() > 255 ? 60000 : 255) : draw(0, 3));
}

/// The mask and peak kernels against their definition, bit by bit, on rows that begin at any alignment.
template <typename T>
void check_rows(Target target, Count& count) {
  const int columns = draw(1, 400), kind = draw(0, 3), words = (columns + 63) / 64;
  std::vector<std::vector<T>> rows(3, std::vector<T>(columns + 2));
  for (auto& row : rows) {
    for (T& value : row) value = draw_value<T>(kind);
  }
  const T threshold = draw_value<T>(kind);
  // Each row that is left out is the row itself.
  const T* given[3];
  for (int i = 0; i < 3; ++i) given[i] = rows[i > 0 && draw(0, 2) ? i : 0].data() + 1;
  const T* row = given[0];
  const int left = draw(0, 1), right = draw(0, 1);

  std::vector<uint64_t> mask(words + 1, 0x5a5a), peaks(words + 1, 0x5a5a), want_mask(words + 1), want_peaks(words + 1);
  want_mask[words] = want_peaks[words] = 0x5a5a;
  for (int i = 0; i < columns; ++i) {
    const bool above = row[i] > threshold;
    const T most = std::max({given[1][i], given[2][i], row[i - left], row[i + right]});
    const bool peak = above && row[i] >= most;
    want_mask[i / 64] |= uint64_t(above) << (i % 64);
    want_peaks[i / 64] |= uint64_t(peak) << (i % 64);
    count.reached["voxels above"] += above;
    count.reached["voxels not above"] += !above;
    count.reached["peaks"] += peak;
    count.reached["above, no peaks"] += above && !peak;
  }
  const RowKernels<T> kernels = row_kernels<T>(target);
  kernels.mask_bits(row, columns, threshold, mask.data(), row);
  for (int word = 0; word < words; ++word) peaks[word] = want_mask[word];
  kernels.peak_bits(row, given[1], given[2], left, right, columns, threshold, peaks.data());
  count.right(mask == want_mask, "mask_bits", type_name<T>, columns);
  count.right(peaks == want_peaks, "peak_bits", type_name<T>, columns);
  ++count.reached[std::string("rows of ") + type_name<T> + " by " + name_of(target)];
}

/// find_not_finite against its definition, with NaNs of every sign and payload.
void check_finite(Target target, Count& count) {
  const int columns = draw(1, 400), extreme = draw(0, 40), unusual = draw(0, 2);
  std::vector<uint32_t> bits(columns);
  for (uint32_t& word : bits) {
    word = static_cast<uint32_t>(generator());
    if ((word & 0x7f800000) == 0x7f800000) word &= 0x807fffff;
  }
  const uint32_t extremes[] = {0x7f7fffff, 0xff7fffff, 0x00000001, 0x80000001, 0, 0x80000000};
  const uint32_t refused[] = {0x7f800000, 0xff800000, 0x7f800001, 0xff800001, 0x7fc00000, 0xffffffff};
  for (int i = 0; i < extreme; ++i) bits[draw(0, columns - 1)] = extremes[draw(0, 5)];
  for (int i = 0; i < unusual; ++i) bits[draw(0, columns - 1)] = refused[draw(0, 5)];

  size_t want = 0;
  std::vector<uint32_t> cleared = bits;
  for (; want < bits.size() && (bits[want] & 0x7f800000) != 0x7f800000; ++want) {
    count.reached["-0"] += bits[want] == 0x80000000;
    if (bits[want] == 0x80000000) cleared[want] = 0;
  }
  ++count.reached[want < bits.size() ? "rows not finite" : "rows all finite"];

  // From an odd place, so that vectors are not aligned.
  std::vector<float> row(columns + 2, -0.0f);
  std::memcpy(row.data() + 1, bits.data(), columns * sizeof(float));
  count.right(find_not_finite(target, row.data() + 1, columns) == want, "find_not_finite", "float32", columns);
  std::memcpy(bits.data(), row.data() + 1, columns * sizeof(float));
  count.right(std::equal(bits.begin(), bits.begin() + want, cleared.begin()), "find_not_finite's zeros", "float32", columns);
  count.right(std::signbit(row.front()) && std::signbit(row.back()), "find_not_finite's surroundings", "float32", columns);
}

}  // namespace

int main() {
  Count count;
  for (Dtype dtype : {Dtype::u8, Dtype::u16, Dtype::f32}) {
    with_type(dtype, [&]<typename T>() {
      count.right(bytes_of(dtype) == sizeof(T), "bytes_of", type_name<T>, sizeof(T));
      check_limits<T>(count);
      for (const auto& [target, name] : kTargets) {
        for (int i = 0; supported(target) && i < 1500; ++i) check_rows<T>(target, count);
      }
    });
  }
  for (const auto& [target, name] : kTargets) {
    if (!supported(target)) continue;
    count.right(find_not_finite(target, nullptr, 0) == 0, "find_not_finite", "float32", 0);
    for (int i = 0; i < 3000; ++i) check_finite(target, count);
  }
  std::printf("rows:");
  for (const auto& [what, times] : count.reached) {
    std::printf(" %s %d,", what.c_str(), times);
    // A case that was never drawn shows nothing.
    count.wrong += times == 0;
  }
  std::printf(" wrong %d\n", count.wrong);
  return count.wrong ? 1 : 0;
}
