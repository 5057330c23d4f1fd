// Compares subtract_opening with its definition on drawn planes of each pixel type, then measures it. By hand:
//   g++ -std=c++20 -O3 -ffp-contract=off -fno-math-errno -I native native/test/opening_test.cc native/kernels/{opening,opening_chain,opening_plan}.cc
// With the argument `check` or `bench` it does only that.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/dtype.h"
#include "kernels/opening.h"
#include "kernels/opening_chain.h"

using namespace somaflow;

namespace {

std::mt19937_64 generator(20240607);
int draw(int low, int high) { return std::uniform_int_distribution<int>(low, high)(generator); }

template <typename T>
constexpr const char* type_name = sizeof(T) == 1 ? "uint8" : sizeof(T) == 2 ? "uint16" : "float32";

template <typename T>
struct Plane {
  int height, width;
  std::vector<T> pixels = std::vector<T>(static_cast<size_t>(height) * width);
  T& at(int64_t y, int64_t x) { return pixels[static_cast<size_t>(y) * width + x]; }
  T at(int64_t y, int64_t x) const { return pixels[static_cast<size_t>(y) * width + x]; }
};

/// What a thread brings, of arbitrary content, NaN for floats; behind it lies a line that must not change.
struct Scratch {
  explicit Scratch(const OpeningPlan& plan)
      : bytes(plan.scratch_bytes()), memory(static_cast<char*>(std::aligned_alloc(64, (bytes + 127) / 64 * 64)), std::free) {
    std::memset(memory.get(), 0xff, bytes);
    std::memset(memory.get() + bytes, guard, 64);
  }
  bool kept_within() const { return std::count(memory.get() + bytes, memory.get() + bytes + 64, guard) == 64; }
  static constexpr char guard = 0x5a;
  size_t bytes;
  std::unique_ptr<char, decltype(&std::free)> memory;
};

template <typename T>
T extreme_value(int which) {
  using limits = std::numeric_limits<T>;
  if constexpr (std::is_floating_point_v<T>) {
    const T values[] = {limits::lowest(), limits::max(), limits::denorm_min(), -limits::denorm_min(), limits::min(), 0};
    return values[which % 6];
  }
  return which % 2 ? limits::max() : 0;
}

/// Noise of a drawn range, with plateaus, zeros and saturated blobs, so that ties and both extremes occur. Floats are
/// fractions of either sign; none is -0.
template <typename T>
Plane<T> random_plane(int height, int width) {
  Plane<T> plane{height, width};
  const int most = sizeof(T) == 1 ? 255 : 65535, kind = draw(0, 4), low = draw(0, most), high = std::min(most, low + draw(0, most / 20));
  for (T& pixel : plane.pixels) {
    if (kind == 4) {
      pixel = extreme_value<T>(draw(0, 5));
    } else if (kind == 3) {
      pixel = static_cast<T>(draw(0, 3) * (most / 7));
    } else {
      pixel = static_cast<T>(kind == 0 ? draw(0, most) : draw(low, high));
      if constexpr (std::is_floating_point_v<T>) pixel = (pixel - 20000) / 3;
    }
  }
  for (int blob = draw(0, 6); blob > 0; --blob) {
    const int y0 = draw(0, height - 1), x0 = draw(0, width - 1);
    const int y1 = std::min(height, y0 + draw(1, 30)), x1 = std::min(width, x0 + draw(1, 30));
    const T value = draw(0, 2) ? extreme_value<T>(draw(0, 5)) : 100;
    for (int y = y0; y < y1; ++y) std::fill(&plane.at(y, x0), &plane.at(y, x0) + (x1 - x0), value);
  }
  return plane;
}

/// The element of SPEC.md, offset by offset.
struct Dense {
  explicit Dense(const OpeningElement& element)
      : size_x(element.size_x), low_y(element.size_y / 2), low_x(size_x / 2), high_y(element.size_y - low_y), high_x(size_x - low_x) {
    for (int y = -low_y; y < high_y; ++y) {
      for (int x = -low_x; x < high_x; ++x) {
        const double a = (y + (element.size_y % 2 ? 0.0 : 0.5)) / high_y, b = (x + (size_x % 2 ? 0.0 : 0.5)) / high_x;
        holds.push_back(!element.disk || b * b + a * a < 1);
      }
    }
  }
  /// Calls `visit` with the pixels of the plane that lie at an offset from (y, x), or with sign -1 at a reflected one.
  template <typename T, typename F>
  void visit(const Plane<T>& plane, int y, int x, int sign, F visit) const {
    const int before_y = sign > 0 ? low_y : high_y - 1, after_y = sign > 0 ? high_y : low_y + 1;
    const int before_x = sign > 0 ? low_x : high_x - 1, after_x = sign > 0 ? high_x : low_x + 1;
    for (int v = std::max(0, y - before_y); v < std::min(plane.height, y + after_y); ++v) {
      for (int u = std::max(0, x - before_x); u < std::min(plane.width, x + after_x); ++u) {
        if (holds[(sign * (v - y) + low_y) * size_x + sign * (u - x) + low_x]) visit(plane.at(v, u));
      }
    }
  }
  int size_x, low_y, low_x, high_y, high_x;
  std::vector<char> holds;
};

/// The definition of SPEC.md. `exceeds` tells whether an opened pixel is above its source.
template <typename T>
Plane<T> naive(const Plane<T>& plane, const OpeningElement& element, bool& exceeds) {
  const Dense dense(element);
  Plane<T> eroded{plane.height, plane.width}, result{plane.height, plane.width};
  for (int y = 0; y < plane.height; ++y) {
    for (int x = 0; x < plane.width; ++x) {
      T least = std::numeric_limits<T>::max();
      dense.visit(plane, y, x, 1, [&](T pixel) { least = std::min(least, pixel); });
      eroded.at(y, x) = least;
    }
  }
  for (int y = 0; y < plane.height; ++y) {
    for (int x = 0; x < plane.width; ++x) {
      T opened = std::numeric_limits<T>::lowest();
      dense.visit(eroded, y, x, element.reflected ? -1 : 1, [&](T pixel) { opened = std::max(opened, pixel); });
      exceeds |= opened > plane.at(y, x);
      result.at(y, x) = static_cast<T>(plane.at(y, x) - std::min(plane.at(y, x), opened));
    }
  }
  return result;
}

/// Opens `box` from a copy of what it may read, exactly or with some more, into a guarded buffer; says whether every bit is right.
template <typename T>
bool box_is_right(Target target, const OpeningPlan& plan, void* scratch, const Plane<T>& plane, const Plane<T>& expected, PlaneBox box) {
  const int more = draw(0, 1) ? draw(0, 70) : 0;
  const PlaneBox have{std::max<int64_t>(0, box.y0 - plan.before_y()), std::min<int64_t>(plane.height, box.y1 + plan.after_y()),
                      std::max<int64_t>(0, box.x0 - plan.before_x() - more), std::min<int64_t>(plane.width, box.x1 + plan.after_x() + more)};
  const int64_t rows = have.y1 - have.y0, columns = have.x1 - have.x0, stride = columns + draw(0, 3);
  // Exactly sized, so that the address sanitizer sees a read beyond `have`.
  std::unique_ptr<T[]> source(new T[(rows - 1) * stride + columns]);
  for (int64_t y = 0; y < rows; ++y) {
    std::fill_n(source.get() + y * stride, y + 1 < rows ? stride : columns, extreme_value<T>(draw(0, 1)));
    for (int64_t x = 0; x < columns; ++x) source[y * stride + x] = plane.at(have.y0 + y, have.x0 + x);
  }
  const int64_t out_columns = box.x1 - box.x0, out_stride = out_columns + draw(0, 2), out_rows = box.y1 - box.y0;
  std::vector<T> out(out_rows * out_stride, 123);
  out.resize((out_rows - 1) * out_stride + out_columns);
  subtract_opening(target, plan, source.get(), stride, have, plane.height, plane.width, box, out.data(), out_stride, scratch);
  for (int64_t y = 0; y < out_rows; ++y) {
    for (int64_t x = 0; x < (y + 1 < out_rows ? out_stride : out_columns); ++x) {
      const T want = x < out_columns ? expected.at(box.y0 + y, box.x0 + x) : 123, got = out[y * out_stride + x];
      if (std::memcmp(&got, &want, sizeof(T)) != 0) {
        const auto [size_y, size_x, disk, reflected] = plan.element();
        std::printf("WRONG: %s, %s %d x %d, %s, plane %d x %d, box y %ld-%ld x %ld-%ld, at %ld, %ld: %.9g, not %.9g\n", type_name<T>,
                    disk ? "disk" : "rectangle", size_y, size_x, reflected ? "symmetric" : "clearmap", plane.height, plane.width,
                    long(box.y0), long(box.y1), long(box.x0), long(box.x1), long(y), long(x), double(got), double(want));
        return false;
      }
    }
  }
  return true;
}

template <typename T>
PlaneBox random_box(const Plane<T>& plane) {
  const int y0 = draw(0, plane.height - 1), x0 = draw(0, plane.width - 1);
  return {y0, draw(y0 + 1, plane.height), x0, draw(x0 + 1, plane.width)};
}

/// What was checked, and how often.
struct Count {
  int wrong = 0;
  std::map<std::string, int> reached;
};

template <typename T>
void check(const OpeningElement& element, int height, int width, Count& count) {
  const auto [size_y, size_x, disk, reflected] = element;
  const Plane<T> plane = random_plane<T>(height, width);
  bool exceeds = false;
  const Plane<T> expected = naive(plane, element, exceeds);
  const OpeningPlan plan(element, sizeof(T));
  const Scratch scratch(plan);
  std::vector<PlaneBox> boxes{{0, height, 0, width}};
  for (int i = 0; i < 4; ++i) boxes.push_back(random_box(plane));
  const bool by_chain = has_chain(element), wide = width > (by_chain ? kChainStripBytes / static_cast<int>(sizeof(T)) : plan.strip());
  for (const PlaneBox& box : boxes) {
    for (const auto& [target, name] : kTargets) {
      if (!supported(target)) continue;
      ++count.reached[std::string("boxes by ") + name_of(target)];
      count.wrong += !box_is_right(target, plan, scratch.memory.get(), plane, expected, box);
    }
    const bool edge = box.y0 < plan.before_y() || box.x0 < plan.before_x() || box.y1 + plan.after_y() > height || box.x1 + plan.after_x() > width;
    if (!scratch.kept_within()) ++count.wrong, std::printf("WRONG: scratch of a %d x %d element is too small\n", size_y, size_x);
    count.reached["boxes at an edge"] += edge;
    count.reached["boxes inside"] += !edge;
  }
  ++count.reached[std::string("planes of ") + type_name<T>];
  count.reached["disks"] += disk && size_y == size_x;
  count.reached["ellipses"] += disk && size_y != size_x;
  count.reached["rectangles"] += !disk;
  count.reached["symmetric"] += reflected;
  count.reached["clearmap, odd"] += !reflected && size_y % 2 && size_x % 2;
  count.reached["clearmap, even"] += !reflected && !(size_y % 2 && size_x % 2);
  count.reached["opened above its source"] += exceeds;
  count.reached["wider than a strip"] += wide && !by_chain;
  count.reached["wider than a strip of a chain"] += wide && by_chain;
  count.reached["by chains, with no room for rings"] += always_by_chain(element, sizeof(T));
  count.reached["by chains or rings"] += by_chain && !always_by_chain(element, sizeof(T));
  // All columns of a result are then within the first vectors.
  count.reached["by chains, narrower than a vector"] += by_chain && width * static_cast<int>(sizeof(T)) < 64;
}

template <typename T>
void check_type(Count& count) {
  for (int i = 0; i < 200; ++i) {
    const int most = draw(0, 2) ? 40 : 10, size_y = draw(1, most), size_x = draw(0, 1) ? size_y : draw(1, most);
    check<T>({size_y, size_x, draw(0, 2) > 0, draw(0, 1) > 0}, draw(1, 90), draw(0, 9) ? draw(1, 90) : draw(500, 1300), count);
  }
  for (const int size : kChainSizes) {
    for (bool reflected : {true, false}) {
      // Widths about those of one vector, and of a few of the longest.
      check<T>({size, size, true, reflected}, draw(1, 3 * size), draw(1, 70), count);
      check<T>({size, size, true, reflected}, draw(1, 60), static_cast<int>(draw(1, 4) * (64 / sizeof(T))) + draw(-1, 1), count);
    }
  }
  for (const int size : {10, 16}) {
    for (int more : {-1, 0, 1, draw(2, 90)})
      check<T>({size, size, true, draw(0, 1) > 0}, draw(1, 24), kChainStripBytes / static_cast<int>(sizeof(T)) + more, count);
  }
  const bool reflected = draw(0, 1) > 0;
  for (bool disk : {true, false}) {
    check<T>({81, 81, disk, true}, 100, 90, count);
    check<T>({100, 150, disk, draw(0, 1) > 0}, draw(90, 130), draw(90, 130), count);
    // Wider than one strip and than two, for small elements and for those whose rings leave less room.
    check<T>({10, 9, disk, draw(0, 1) > 0}, 14, draw(4097, 8400) / int(sizeof(T)) + 40, count);
    check<T>({120, 100, disk, draw(0, 1) > 0}, 12, draw(2049, 4400) / int(sizeof(T)) + 40, count);
    check<T>({1024, 1024, disk, reflected == disk}, 20, 31, count);
    check<T>({1023, 1000, disk, reflected != disk}, 14, 25, count);
    check<T>({1024, 3, disk, draw(0, 1) > 0}, 40, 50, count);
    check<T>({2, 1023, disk, draw(0, 1) > 0}, 33, 64, count);
  }
}

template <typename T>
void measure(const OpeningElement& element) {
  const int extent = 2048;
  Plane<T> plane{extent, extent};
  for (T& pixel : plane.pixels) pixel = static_cast<T>(sizeof(T) == 1 ? generator() % 200 : 300 + generator() % 1000);
  std::vector<T> out(plane.pixels.size());
  const OpeningPlan plan(element, sizeof(T));
  const Scratch scratch(plan);
  const PlaneBox whole{0, extent, 0, extent};
  std::printf("%-7s %s %4d: %s, %6.0f KiB", type_name<T>, element.disk ? "disk" : "rect", element.size_y,
              has_chain(element) ? "chain" : "rings", plan.scratch_bytes() / 1024.0);
  for (const auto& [target, name] : kTargets) {
    if (!supported(target)) continue;
    std::vector<double> seconds;
    for (double total = 0; total < 0.4 || seconds.size() < 3; total += seconds.back()) {
      const auto start = std::chrono::steady_clock::now();
      subtract_opening(target, plan, plane.pixels.data(), extent, whole, extent, extent, whole, out.data(), extent, scratch.memory.get());
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
    for (Dtype dtype : {Dtype::u8, Dtype::u16, Dtype::f32}) with_type(dtype, [&]<typename T>() { check_type<T>(count); });
    std::printf("opening:");
    for (const auto& [what, times] : count.reached) {
      std::printf(" %s %d,", what.c_str(), times);
      // A case that was never drawn shows nothing.
      count.wrong += times == 0;
    }
    std::printf(" wrong %d\n", count.wrong);
  }
  if (mode != "check") {
    std::printf("Mvoxel/s on 2048 x 2048 noise, one thread, best (median)\n");
    for (Dtype dtype : {Dtype::u16, Dtype::u8, Dtype::f32}) {
      with_type(dtype, []<typename T>() {
        for (int size : {5, 10, 11, 20, 30, 50, 100}) measure<T>({size, size, true, true});
        for (int size : {10, 100}) measure<T>({size, size, false, false});
      });
    }
  }
  return count.wrong ? 1 : 0;
}
