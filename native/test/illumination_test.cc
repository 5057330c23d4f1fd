// Compares the illumination's correction with its definition, voxel by voxel, on drawn planes cut into drawn boxes. By hand:
//   g++ -std=c++20 -O3 -ffp-contract=off -fno-math-errno -I native native/test/illumination_test.cc native/kernels/illumination.cc
// With `bench` it measures, with `check` it compares, without an argument both.
#include <algorithm>
#include <chrono>
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
#include "kernels/illumination.h"

using namespace somaflow;

namespace {

std::mt19937_64 generator(20240608);
int draw(int low, int high) { return std::uniform_int_distribution<int>(low, high)(generator); }
double uniform(double low, double high) { return std::uniform_real_distribution<double>(low, high)(generator); }

template <typename T>
constexpr const char* type_name = sizeof(T) == 1 ? "uint8" : sizeof(T) == 2 ? "uint16" : "float32";

/// What was checked, and how often.
struct Count {
  int wrong = 0;
  std::map<std::string, int> reached;
};

/// The definition, one voxel at a time. Volatile, so that no two operations become one.
template <typename T>
T defined(T source, double flatfield, double background, double scaling, Count& count) {
  const volatile double above = source - background, range = flatfield - background, ratio = above / range, value = ratio * scaling;
  const double most = std::numeric_limits<T>::max(), least = std::numeric_limits<T>::lowest();
  count.reached["saturated above"] += value > most;
  count.reached["saturated below"] += value < least;
  const double bounded = value < least ? least : value > most ? most : value;
  if constexpr (std::is_integral_v<T>) {
    const double whole = std::floor(bounded);
    const bool tie = bounded - whole == 0.5, odd = std::fmod(whole, 2) == 1;
    count.reached["ties to the even below"] += tie && !odd;
    count.reached["ties to the even above"] += tie && odd;
    return static_cast<T>(whole + (bounded - whole > 0.5 || (tie && odd)));
  } else {
    const float rounded = static_cast<float>(bounded);
    count.reached["-0 made 0"] += rounded == 0 && std::signbit(rounded);
    count.reached["denormals"] += std::fpclassify(rounded) == FP_SUBNORMAL;
    return rounded == 0 ? 0 : rounded;
  }
}

/// How the values of a plane are drawn.
enum Kind { plain, quarters, tiny, huge, kinds };

template <typename T>
T draw_pixel(Kind kind) {
  using limits = std::numeric_limits<T>;
  if (draw(0, 9) == 0) return draw(0, 1) ? limits::max() : limits::lowest() + T{};
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(draw(0, kind == quarters ? 200 : limits::max()));
  } else {
    if (kind == tiny) return static_cast<float>(draw(-20, 20)) * limits::denorm_min() + 0.0f;
    return static_cast<float>(uniform(-500, 5000));
  }
}

struct Fields {
  std::vector<double> flatfield, background;
};

/// Fields with F - B above 0 and finite everywhere.
Fields draw_fields(Kind kind, size_t pixels, bool dark) {
  Fields fields{std::vector<double>(pixels), std::vector<double>(pixels)};
  for (size_t i = 0; i < pixels; ++i) {
    double& back = fields.background[i];
    if (dark) back = kind == quarters ? draw(0, 3) : kind == tiny ? draw(0, 3) * 1e-310 : uniform(-20, 100);
    // Quarters and eighths make values halfway between integers.
    const double range = kind == quarters ? std::ldexp(1, draw(-2, 3))
                         : kind == tiny   ? std::pow(10, uniform(-1, 40))
                         : kind == huge   ? uniform(1e-300, 1e-290)
                                          : uniform(0.01, 60000);
    fields.flatfield[i] = back + range > back ? back + range : std::nextafter(back, 1e300);
  }
  return fields;
}

template <typename T>
void check(Count& count) {
  const Kind kind = static_cast<Kind>(draw(0, kinds - 1));
  const int height = draw(1, 12), width = draw(1, 50);
  const bool dark = draw(0, 2) > 0;
  const Fields fields = draw_fields(kind, static_cast<size_t>(height) * width, dark);
  const double scaling = kind == quarters ? 1 : draw(0, 3) ? uniform(0.01, 3) : 1;
  const IlluminationPlan plan{fields.flatfield.data(), dark ? fields.background.data() : nullptr, width, scaling};

  // What is there is a box of the plane, and what is made a box of that.
  const auto within = [](PlaneBox box) {
    const int64_t y0 = draw(int(box.y0), int(box.y1 - 1)), x0 = draw(int(box.x0), int(box.x1 - 1));
    return PlaneBox{y0, draw(int(y0) + 1, int(box.y1)), x0, draw(int(x0) + 1, int(box.x1))};
  };
  const PlaneBox have = within({0, height, 0, width}), box = draw(0, 3) ? within(have) : have;
  const int64_t source_stride = have.x1 - have.x0 + draw(0, 3), out_stride = box.x1 - box.x0 + draw(1, 3);
  std::vector<T> source(static_cast<size_t>(source_stride * (have.y1 - have.y0)));
  for (T& pixel : source) pixel = draw_pixel<T>(kind);

  for (const auto& [target, name] : kTargets) {
    if (!supported(target)) continue;
    const T untouched = 77;
    std::vector<T> out(static_cast<size_t>(out_stride * (box.y1 - box.y0)), untouched);
    correct_illumination(target, plan, source.data(), source_stride, have, box, out.data(), out_stride);
    for (int64_t y = box.y0; y < box.y1; ++y) {
      const T* row = out.data() + (y - box.y0) * out_stride;
      for (int64_t x = box.x0; x < box.x1; ++x) {
        const T from = source[(y - have.y0) * source_stride + (x - have.x0)], got = row[x - box.x0];
        const double flat = fields.flatfield[y * width + x], back = fields.background[y * width + x];
        const T want = defined(from, flat, back, scaling, count);
        if (std::memcmp(&got, &want, sizeof(T)) && ++count.wrong <= 20) {
          std::printf("WRONG: %s, ((%.9g - %.17g) / (%.17g - %.17g)) * %.17g: %.9g, not %.9g\n", type_name<T>, double(from), back, flat,
                      back, scaling, double(got), double(want));
        }
      }
      if (row[box.x1 - box.x0] != untouched && ++count.wrong <= 20) std::printf("WRONG: %s, written beyond a row\n", type_name<T>);
    }
    ++count.reached[std::string("planes of ") + type_name<T> + " by " + name_of(target)];
    ++count.reached[dark ? "with background" : "without background"];
    count.reached["rows that end within a vector"] += (box.x1 - box.x0) % 4 != 0;
  }
}

template <typename T>
void measure(bool dark) {
  const int64_t extent = 2048, rows = 64;
  std::vector<T> source(extent * extent), out(extent * extent);
  for (T& pixel : source) pixel = static_cast<T>(draw(0, 250));
  std::vector<double> flatfield(extent * extent), background(extent * extent, 0.05);
  for (double& value : flatfield) value = uniform(0.5, 1);
  const IlluminationPlan plan{flatfield.data(), dark ? background.data() : nullptr, extent, 0.9};
  std::printf("%-7s %s", type_name<T>, dark ? "with background   " : "without background");
  for (const auto& [target, name] : kTargets) {
    if (!supported(target)) continue;
    std::vector<double> seconds;
    for (double total = 0; total < 0.4; total += seconds.back()) {
      const auto start = std::chrono::steady_clock::now();
      for (int64_t y = 0; y < extent; y += rows) {
        const PlaneBox band{y, y + rows, 0, extent};
        correct_illumination(target, plan, source.data() + y * extent, extent, band, band, out.data() + y * extent, extent);
      }
      seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    std::sort(seconds.begin(), seconds.end());
    const double pixels = double(extent) * extent / 1e6;
    std::printf("  %s %5.0f (%5.0f)", name_of(target), pixels / seconds[0], pixels / seconds[seconds.size() / 2]);
  }
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "all";
  Count count;
  if (mode != "bench") {
    for (Dtype dtype : {Dtype::u8, Dtype::u16, Dtype::f32}) {
      with_type(dtype, [&]<typename T>() {
        for (int i = 0; i < 3000; ++i) check<T>(count);
      });
    }
    std::printf("illumination:");
    for (const auto& [what, times] : count.reached) {
      std::printf(" %s %d,", what.c_str(), times);
      // A case that was never drawn shows nothing.
      count.wrong += times == 0;
    }
    std::printf(" wrong %d\n", count.wrong);
  }
  if (mode != "check") {
    std::printf("Mvoxel/s on a plane of 2048 x 2048 in bands of 64 rows, one thread, best (median)\n");
    for (Dtype dtype : {Dtype::u16, Dtype::u8, Dtype::f32}) {
      with_type(dtype, []<typename T>() {
        for (bool dark : {false, true}) measure<T>(dark);
      });
    }
  }
  return count.wrong ? 1 : 0;
}
