// Compares subtract_gaussians with its definition in float64 on drawn volumes of each pixel type, then measures it. By hand:
//   g++ -std=c++20 -O3 -ffp-contract=off -fno-math-errno -I native native/test/dog_test.cc native/kernels/dog.cc
// With the argument `check` or `bench` it does only that.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/dog.h"
#include "kernels/dtype.h"

using namespace somaflow;

namespace {

std::mt19937_64 generator(20240607);
int draw(int low, int high) { return std::uniform_int_distribution<int>(low, high)(generator); }
double draw_real(double low, double high) { return std::uniform_real_distribution<double>(low, high)(generator); }

template <typename T>
constexpr const char* type_name = sizeof(T) == 1 ? "uint8" : sizeof(T) == 2 ? "uint16" : "float32";

/// What was checked, how often, and the greatest error relative to the largest voxel.
struct Count {
  int wrong = 0;
  double error = 0;
  std::map<std::string, int> reached;
};

template <typename T>
struct Volume {
  int depth, height, width;
  std::vector<T> voxels = std::vector<T>(static_cast<size_t>(depth) * height * width);
  const T* row(int64_t z, int64_t y) const { return voxels.data() + static_cast<size_t>((z * height + y) * width); }
};

/// Noise, a few flat values, or both extremes; floats are fractions of either sign, denormals, or as large as may be.
template <typename T>
Volume<T> random_volume(int depth, int height, int width) {
  Volume<T> volume{depth, height, width};
  const int most = sizeof(T) == 1 ? 255 : 65535, kind = draw(0, 4), low = draw(0, most), high = std::min(most, low + draw(0, most / 20));
  const T flat = static_cast<T>(draw(0, most));
  for (T& voxel : volume.voxels) {
    voxel = static_cast<T>(kind == 0 ? draw(0, most) : kind == 1 ? draw(low, high) : kind == 2 ? draw(0, 1) * most : draw(0, 40) ? 0 : flat);
    if constexpr (std::is_floating_point_v<T>) {
      if (kind < 3) voxel = (voxel - 20000) / 3;
      if (kind == 2) voxel = draw(0, 1) ? 0x1p125f : -0x1p125f;
      if (kind == 4) voxel *= 0x1p-149f;
    }
  }
  return volume;
}

/// The correlation of SPEC.md along one axis, at one place: `value(p)` is read at every tap, reflected as NumPy's pad 'symmetric'.
template <typename F>
double correlate(int64_t at, int size, double sigma, int64_t extent, F value) {
  double sum = 0, weights = 0;
  for (int o = -(size / 2); o < size - size / 2; ++o) {
    const double distance = o + (size % 2 ? 0.0 : 0.5), weight = std::exp(-distance * distance / (2 * sigma * sigma));
    int64_t p = at + o;
    while (p < 0 || p >= extent) p = p < 0 ? -1 - p : 2 * extent - 1 - p;
    sum += weight * value(p);
    weights += weight;
  }
  return sum / weights;
}

template <typename T>
std::vector<double> smoothed(const Volume<T>& volume, int z, const std::array<int, 3>& size, const std::array<double, 3>& sigma) {
  const int height = volume.height, width = volume.width;
  std::vector<double> along_z(static_cast<size_t>(height) * width), along_y(along_z.size()), along_x(along_z.size());
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      along_z[y * width + x] = correlate(z, size[0], sigma[0], volume.depth, [&](int64_t p) { return double(volume.row(p, y)[x]); });
    }
  }
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      along_y[y * width + x] = correlate(y, size[1], sigma[1], height, [&](int64_t p) { return along_z[p * width + x]; });
    }
  }
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      along_x[y * width + x] = correlate(x, size[2], sigma[2], width, [&](int64_t p) { return along_y[y * width + p]; });
    }
  }
  return along_x;
}

/// Makes `box` of plane z from copies of exactly what it may read, into a guarded buffer.
template <typename T>
std::vector<float> made(Target target, const DogPlan& plan, const Volume<T>& volume, int z, PlaneBox box, bool& guarded) {
  const int64_t height = volume.height, width = volume.width;
  const PlaneBox have{std::max<int64_t>(0, box.y0 - plan.y().before()), std::min(height, box.y1 + plan.y().after()),
                      std::max<int64_t>(0, box.x0 - plan.x().before()), std::min(width, box.x1 + plan.x().after())};
  const int64_t rows = have.y1 - have.y0, columns = have.x1 - have.x0, stride = columns + draw(0, 3);
  // Exactly sized, so that the address sanitizer sees a read beyond `have`.
  std::vector<std::unique_ptr<T[]>> copies;
  std::vector<const T*> planes;
  for (int i = 0; i < plan.z().size; ++i) {
    const int64_t from = reflected(z - plan.z().before() + i, volume.depth);
    copies.emplace_back(new T[(rows - 1) * stride + columns]());
    planes.push_back(copies.back().get());
    for (int64_t y = 0; y < rows; ++y) std::copy_n(volume.row(from, have.y0 + y) + have.x0, columns, copies.back().get() + y * stride);
  }
  const std::unique_ptr<char, decltype(&std::free)> scratch(static_cast<char*>(std::aligned_alloc(64, plan.scratch_bytes())), std::free);
  std::memset(scratch.get(), 0x7f, plan.scratch_bytes());
  const int64_t out_columns = box.x1 - box.x0, out_stride = out_columns + draw(0, 2), out_rows = box.y1 - box.y0;
  std::vector<float> out((out_rows - 1) * out_stride + out_columns, 123), result;
  subtract_gaussians(target, plan, planes.data(), stride, have, height, width, box, out.data(), out_stride, scratch.get());
  for (int64_t y = 0; y < out_rows; ++y) {
    for (int64_t x = 0; x < out_columns; ++x) result.push_back(out[y * out_stride + x]);
    for (int64_t x = out_columns; y + 1 < out_rows && x < out_stride; ++x) guarded &= out[y * out_stride + x] == 123;
  }
  return result;
}

bool same_bits(float a, float b) { return std::memcmp(&a, &b, sizeof(float)) == 0; }

template <typename T>
void check(const DogOptions& options, int depth, int height, int width, Count& count) {
  const Volume<T> volume = random_volume<T>(depth, height, width);
  const DogPlan plan(options);
  const int z = draw(0, depth - 1);
  const auto report = [&](const char* what, int64_t y, int64_t x, double got, double want) {
    if (++count.wrong > 20) return;
    std::printf("WRONG %s: %s, size %d %d %d, volume %d x %d x %d, plane %d, at %ld, %ld: %.9g, not %.9g\n", what, type_name<T>,
                options.size[0], options.size[1], options.size[2], depth, height, width, z, long(y), long(x), got, want);
  };

  bool guarded = true;
  const std::vector<float> whole = made(Target::portable, plan, volume, z, {0, height, 0, width}, guarded);
  const std::vector<double> narrow = smoothed(volume, z, options.size, options.sigma), wide = smoothed(volume, z, options.size, options.sigma2);
  double largest = std::numeric_limits<float>::min();
  for (T voxel : volume.voxels) largest = std::max(largest, std::abs(double(voxel)));
  for (size_t i = 0; i < whole.size(); ++i) {
    const double difference = narrow[i] - wide[i], floor = std::abs(narrow[i]) * 0x1p-20, tolerance = 1e-6 * largest;
    const double error = whole[i] != 0 ? std::abs(whole[i] - difference) : std::max(0.0, difference - floor);
    const bool right = error <= tolerance && (whole[i] == 0 || difference > floor - tolerance) && !std::signbit(whole[i]);
    if (!right) report("value", i / width, i % width, whole[i], difference);
    count.error = std::max(count.error, error / largest);
    ++count.reached[whole[i] > 0 ? "voxels above 0" : "voxels of 0"];
  }

  std::vector<PlaneBox> boxes{{0, height, 0, width}};
  for (int i = 0; i < 4; ++i) {
    const int y0 = draw(0, height - 1), x0 = draw(0, width - 1);
    boxes.push_back({y0, draw(y0 + 1, height), x0, draw(x0 + 1, width)});
  }
  for (const PlaneBox& box : boxes) {
    for (const auto& [target, name] : kTargets) {
      if (!supported(target)) continue;
      ++count.reached[std::string("boxes by ") + name_of(target)];
      const std::vector<float> part = made(target, plan, volume, z, box, guarded);
      size_t next = 0;
      for (int64_t y = box.y0; y < box.y1; ++y) {
        for (int64_t x = box.x0; x < box.x1; ++x, ++next) {
          const float want = whole[y * width + x];
          if (!same_bits(part[next], want)) report("bits", y, x, part[next], want);
        }
      }
    }
    const bool edge = box.y0 < plan.y().before() || box.x0 < plan.x().before() || box.y1 + plan.y().after() > height ||
                      box.x1 + plan.x().after() > width;
    count.reached[edge ? "boxes at an edge" : "boxes inside"] += 1;
  }
  if (!guarded) report("write beside the box", 0, 0, 0, 0);

  for (int axis = 0; axis < 3; ++axis) {
    ++count.reached[options.size[axis] % 2 ? "odd sizes" : "even sizes"];
    count.reached["sizes of 1"] += options.size[axis] == 1;
    count.reached["sizes of 2"] += options.size[axis] == 2;
    count.reached["extents below half the box"] += std::array{depth, height, width}[axis] < options.size[axis] / 2;
    count.reached["narrow wider than wide"] += options.sigma[axis] > options.sigma2[axis];
  }
  ++count.reached[std::string("volumes of ") + type_name<T>];
  count.reached["wider than a strip"] += width > plan.strip();
}

/// Of equal voxels nothing is left, exactly, whatever the box, the Gaussians and the value.
template <typename T>
void check_constant(const DogOptions& options, Count& count) {
  Volume<T> volume{draw(1, 4), draw(1, 20), draw(1, 40)};
  T value = static_cast<T>(draw(1, sizeof(T) == 1 ? 255 : 65535));
  if constexpr (std::is_floating_point_v<T>) value = std::ldexp(value / (draw(0, 1) ? 3 : -3), draw(-140, 100));
  std::fill(volume.voxels.begin(), volume.voxels.end(), value);
  bool guarded = true;
  for (float got : made(Target::portable, DogPlan(options), volume, 0, {0, volume.height, 0, volume.width}, guarded)) {
    if (!same_bits(got, 0)) ++count.wrong, std::printf("WRONG: %s all %.9g gives %.9g\n", type_name<T>, double(value), double(got));
  }
  ++count.reached["constant volumes"];
}

DogOptions random_options(int most) {
  DogOptions options{};
  for (int axis = 0; axis < 3; ++axis) {
    options.size[axis] = draw(1, draw(0, 3) ? most : 4);
    options.sigma2[axis] = draw(0, 2) ? options.size[axis] / 2.3548 : draw_real(0.3, 30);
    options.sigma[axis] = draw(0, 2) ? options.sigma2[axis] / 1.5 : draw_real(0.3, 30);
  }
  return options;
}

template <typename T>
void check_type(Count& count) {
  for (int i = 0; i < 400; ++i) check<T>(random_options(25), draw(1, 14), draw(1, 40), draw(1, 60), count);
  for (int i = 0; i < 4; ++i) check<T>(random_options(DogPlan::size_max), draw(1, 80), draw(1, 30), draw(1, 90), count);
  for (int i = 0; i < 4; ++i) check<T>(random_options(12), 3, draw(1, 9), draw(1030, 2300), count);
  for (int i = 0; i < 200; ++i) check_constant<T>(random_options(i % 4 ? 25 : DogPlan::size_max), count);
}

/// Gaussians so narrow that their samples are 0 in float64 all around the center keep the central pair.
void check_needle(Count& count) {
  const DogPlan plan({{4, 5, 128}, {1e-300, 1e-3, 5e-324}, {1e308, 2, 0.01}});
  for (const DogPlan::Axis* axis : {&plan.z(), &plan.y(), &plan.x()}) {
    for (float weight : axis->narrow) count.wrong += weight != 0;
    count.wrong += axis->narrow.size() != static_cast<size_t>(axis->pairs());
  }
  count.wrong += plan.z().wide[0] != 0.25f;
}

double seconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

template <typename T>
void measure(std::array<int, 3> size) {
  const int extent = 2048, depth = 12, made_planes = 4;
  Volume<T> volume{depth, extent, extent};
  for (T& voxel : volume.voxels) voxel = static_cast<T>(sizeof(T) == 1 ? generator() % 200 : 300 + generator() % 1000);
  std::vector<float> out(static_cast<size_t>(extent) * extent);
  DogOptions options{size, {}, {}};
  for (int axis = 0; axis < 3; ++axis) options.sigma2[axis] = size[axis] / 2.3548, options.sigma[axis] = options.sigma2[axis] / 1.5;
  const DogPlan plan(options);
  const std::unique_ptr<char, decltype(&std::free)> scratch(static_cast<char*>(std::aligned_alloc(64, plan.scratch_bytes())), std::free);
  std::printf("%-7s (%d, %d, %d): %4.0f KiB", type_name<T>, size[0], size[1], size[2], plan.scratch_bytes() / 1024.0);
  for (const auto& [target, name] : kTargets) {
    if (!supported(target)) continue;
    std::vector<double> times;
    for (double total = 0; total < 0.5 || times.size() < 5; total += times.back()) {
      const double start = seconds();
      for (int y0 = 0; y0 < extent; y0 += 256) {
        for (int z = 0; z < made_planes; ++z) {
          std::vector<const T*> planes;
          for (int i = 0; i < size[0]; ++i) planes.push_back(volume.row(reflected(z + 4 - plan.z().before() + i, depth), 0));
          subtract_gaussians(target, plan, planes.data(), extent, {0, extent, 0, extent}, extent, extent, {y0, y0 + 256, 0, extent},
                             out.data() + static_cast<size_t>(y0) * extent, extent, scratch.get());
        }
      }
      times.push_back(seconds() - start);
    }
    std::sort(times.begin(), times.end());
    const double voxels = double(made_planes) * extent * extent / 1e6;
    std::printf("  %s %4.0f (%4.0f)", name_of(target), voxels / times[0], voxels / times[times.size() / 2]);
  }
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "all";
  Count count;
  if (mode != "bench") {
    for (Dtype dtype : {Dtype::u8, Dtype::u16, Dtype::f32}) with_type(dtype, [&]<typename T>() { check_type<T>(count); });
    check_needle(count);
    std::printf("dog:");
    for (const auto& [what, times] : count.reached) {
      std::printf(" %s %d,", what.c_str(), times);
      // A case that was never drawn shows nothing.
      count.wrong += times == 0;
    }
    std::printf(" greatest error %.2g, wrong %d\n", count.error, count.wrong);
  }
  if (mode != "check") {
    std::printf("Mvoxel/s on 2048 x 2048 noise, one thread's own time, best (median)\n");
    for (Dtype dtype : {Dtype::u16, Dtype::u8, Dtype::f32}) {
      with_type(dtype, []<typename T>() {
        for (std::array<int, 3> size : {std::array{6, 10, 10}, {5, 7, 7}, {11, 25, 25}}) measure<T>(size);
      });
    }
  }
  return count.wrong ? 1 : 0;
}
