// Compares subtract_opening with its definition on random planes, then measures it. By hand:
//   g++ -std=c++20 -O3 -ffp-contract=off -fno-math-errno -I native native/test/opening_test.cc native/kernels/opening*.cc
// With the argument `check` or `bench` it does only that.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kernels/opening.h"

using namespace somaflow;

namespace {

std::mt19937_64 generator(20240607);
int draw(int low, int high) { return std::uniform_int_distribution<int>(low, high)(generator); }

struct Plane {
  int height, width;
  std::vector<uint16_t> pixels;
  uint16_t at(int y, int x) const { return pixels[static_cast<size_t>(y) * width + x]; }
};

struct Scratch {
  explicit Scratch(const OpeningPlan& plan) : memory(static_cast<char*>(std::aligned_alloc(64, (plan.scratch_bytes() + 63) / 64 * 64)), std::free) {
    std::memset(memory.get(), 0x5a, plan.scratch_bytes());
  }
  std::unique_ptr<char, decltype(&std::free)> memory;
};

/// Noise of a random range, with plateaus, zeros and saturated blobs, so that ties and both extremes occur.
Plane random_plane(int height, int width) {
  Plane plane{height, width, std::vector<uint16_t>(static_cast<size_t>(height) * width)};
  const int kind = draw(0, 4), low = draw(0, 60000), high = kind == 0 ? 65535 : std::min(65535, low + draw(0, 3000));
  for (uint16_t& pixel : plane.pixels) {
    pixel = static_cast<uint16_t>(kind == 4 ? draw(0, 1) * 65535 : kind == 3 ? draw(0, 3) * 100 : draw(kind == 0 ? 0 : low, high));
  }
  for (int blob = draw(0, 6); blob > 0; --blob) {
    const int y0 = draw(0, height - 1), x0 = draw(0, width - 1), value = draw(0, 2);
    const int y1 = std::min(height, y0 + draw(1, 30)), x1 = std::min(width, x0 + draw(1, 30));
    for (int y = y0; y < y1; ++y) {
      for (int x = x0; x < x1; ++x) plane.pixels[static_cast<size_t>(y) * width + x] = value == 0 ? 0 : value == 1 ? 65535 : 1000;
    }
  }
  return plane;
}

/// The definition of SPEC.md, element by element.
std::vector<uint16_t> naive(const Plane& plane, int size_y, int size_x) {
  const int low_y = size_y / 2, low_x = size_x / 2, ny = size_y - low_y, nx = size_x - low_x;
  std::vector<std::pair<int, int>> disk;
  for (int y = -low_y; y < ny; ++y) {
    for (int x = -low_x; x < nx; ++x) {
      const double a = (y + (size_y % 2 ? 0.0 : 0.5)) / ny, b = (x + (size_x % 2 ? 0.0 : 0.5)) / nx;
      if (b * b + a * a < 1) disk.emplace_back(y, x);
    }
  }
  std::vector<uint16_t> eroded(plane.pixels.size()), result(plane.pixels.size());
  const auto inside = [&](int y, int x) { return y >= 0 && y < plane.height && x >= 0 && x < plane.width; };
  for (int y = 0; y < plane.height; ++y) {
    for (int x = 0; x < plane.width; ++x) {
      uint16_t least = 65535;
      for (auto [dy, dx] : disk) {
        if (inside(y + dy, x + dx)) least = std::min(least, plane.at(y + dy, x + dx));
      }
      eroded[static_cast<size_t>(y) * plane.width + x] = least;
    }
  }
  for (int y = 0; y < plane.height; ++y) {
    for (int x = 0; x < plane.width; ++x) {
      uint16_t opened = 0;
      for (auto [dy, dx] : disk) {
        if (inside(y - dy, x - dx)) opened = std::max(opened, eroded[static_cast<size_t>(y - dy) * plane.width + x - dx]);
      }
      result[static_cast<size_t>(y) * plane.width + x] = plane.at(y, x) - std::min(plane.at(y, x), opened);
    }
  }
  return result;
}

/// Opens `box` from a copy of exactly what it may read, into a guarded buffer; says whether every pixel is right.
bool box_is_right(Target target, const OpeningPlan& plan, void* scratch, const Plane& plane, const std::vector<uint16_t>& expected, PlaneBox box) {
  const PlaneBox have{std::max<int64_t>(0, box.y0 - plan.reach_y()), std::min<int64_t>(plane.height, box.y1 + plan.reach_y()),
                      std::max<int64_t>(0, box.x0 - plan.reach_x()), std::min<int64_t>(plane.width, box.x1 + plan.reach_x())};
  const int64_t rows = have.y1 - have.y0, columns = have.x1 - have.x0, stride = columns + draw(0, 3);
  // Exactly sized, so that the address sanitizer sees a read beyond `have`.
  std::unique_ptr<uint16_t[]> source(new uint16_t[(rows - 1) * stride + columns]);
  for (int64_t y = 0; y < rows; ++y) {
    std::fill_n(source.get() + y * stride, y + 1 < rows ? stride : columns, uint16_t(draw(0, 1) * 65535));
    for (int64_t x = 0; x < columns; ++x) source[y * stride + x] = plane.at(have.y0 + y, have.x0 + x);
  }
  const int64_t out_columns = box.x1 - box.x0, out_stride = out_columns + draw(0, 2), out_rows = box.y1 - box.y0;
  std::vector<uint16_t> out(out_rows * out_stride, 12345);
  out.resize((out_rows - 1) * out_stride + out_columns);
  subtract_opening(target, plan, source.get(), stride, have, plane.height, plane.width, box, out.data(), out_stride, scratch);
  for (int64_t y = 0; y < out_rows; ++y) {
    for (int64_t x = 0; x < (y + 1 < out_rows ? out_stride : out_columns); ++x) {
      const uint16_t want = x < out_columns ? expected[(box.y0 + y) * plane.width + box.x0 + x] : 12345;
      if (out[y * out_stride + x] != want) {
        std::printf("WRONG: disk %d x %d, plane %d x %d, box y %ld-%ld x %ld-%ld, at %ld, %ld: %d, not %d\n", plan.size_y(), plan.size_x(),
                    plane.height, plane.width, long(box.y0), long(box.y1), long(box.x0), long(box.x1), long(y), long(x), out[y * out_stride + x], want);
        return false;
      }
    }
  }
  return true;
}

PlaneBox random_box(const Plane& plane) {
  const int y0 = draw(0, plane.height - 1), x0 = draw(0, plane.width - 1);
  return {y0, draw(y0 + 1, plane.height), x0, draw(x0 + 1, plane.width)};
}

struct Count {
  int planes = 0, boxes = 0, wrong = 0, elliptic = 0, edges = 0, inner = 0;
};

void check(int size_y, int size_x, int height, int width, Count& count) {
  const Plane plane = random_plane(height, width);
  const std::vector<uint16_t> expected = naive(plane, size_y, size_x);
  const OpeningPlan plan(size_y, size_x);
  const Scratch scratch(plan);
  std::vector<PlaneBox> boxes{{0, height, 0, width}};
  for (int i = 0; i < 4; ++i) boxes.push_back(random_box(plane));
  for (const PlaneBox& box : boxes) {
    for (Target target : {Target::portable, Target::avx2}) {
      if (!supported(target)) continue;
      ++count.boxes;
      count.wrong += !box_is_right(target, plan, scratch.memory.get(), plane, expected, box);
    }
    const bool edge = box.y0 < size_y || box.x0 < size_x || box.y1 + size_y > height || box.x1 + size_x > width;
    ++(edge ? count.edges : count.inner);
  }
  ++count.planes;
  count.elliptic += size_y != size_x;
}

void measure(int size) {
  const int extent = 2048;
  Plane plane{extent, extent, std::vector<uint16_t>(extent * extent)};
  for (uint16_t& pixel : plane.pixels) pixel = static_cast<uint16_t>(300 + generator() % 1000);
  std::vector<uint16_t> out(plane.pixels.size());
  const OpeningPlan plan(size, size);
  const Scratch scratch(plan);
  const PlaneBox whole{0, extent, 0, extent};
  std::printf("disk %4d: %3zu taps, %2zu tables, %6.0f KiB", size, plan.taps().size(), plan.tables().size(), plan.scratch_bytes() / 1024.0);
  for (Target target : {Target::portable, Target::avx2}) {
    if (!supported(target)) continue;
    std::vector<double> seconds;
    for (double total = 0; total < 0.7 || seconds.size() < 3; total += seconds.back()) {
      const auto start = std::chrono::steady_clock::now();
      subtract_opening(target, plan, plane.pixels.data(), extent, whole, extent, extent, whole, out.data(), extent, scratch.memory.get());
      seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    std::sort(seconds.begin(), seconds.end());
    const double pixels = double(extent) * extent / 1e6;
    std::printf("  %s %5.0f (%5.0f)", target == Target::portable ? "portable" : "avx2", pixels / seconds[0], pixels / seconds[seconds.size() / 2]);
  }
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "all";
  Count count;
  if (mode != "bench") {
    for (int i = 0; i < 400; ++i) {
      const int size_y = draw(1, 40), size_x = draw(0, 1) ? size_y : draw(1, 40);
      check(size_y, size_x, draw(1, 90), draw(0, 9) ? draw(1, 90) : draw(500, 1300), count);
    }
    for (int size : {101, 150}) check(size, size, draw(120, 180), draw(120, 180), count);
    // Wider than one strip and than two, for small disks and for those whose rings leave less room.
    for (int size : {9, 10}) check(size, size, 14, draw(2049, 4600), count);
    check(120, 100, 12, draw(1025, 2200), count);
    check(1024, 1024, 20, 31, count);
    check(1024, 3, 40, 50, count);
    check(2, 1023, 33, 64, count);
    check(81, 81, 100, 90, count);
    std::printf("%d planes (%d elliptic), %d boxes (per target; %d at an edge, %d inside), %d wrong\n", count.planes, count.elliptic, count.boxes,
                count.edges, count.inner, count.wrong);
  }
  if (mode != "check") {
    std::printf("Mvoxel/s on 2048 x 2048 noise, one thread, best (median)\n");
    for (int size : {10, 11, 30, 50, 100}) measure(size);
  }
  return count.wrong ? 1 : 0;
}
