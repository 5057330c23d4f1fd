// Compares the kernels of equalize with their definition on drawn volumes of each pixel type, then measures them. By hand:
//   g++ -std=c++20 -O3 -ffp-contract=off -fno-math-errno -I native native/test/equalize_test.cc native/kernels/{equalize,percentiles,sample_axis}.cc
// With the argument `check` or `bench` it does only that.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>

#include "test/plain_equalize.h"

using namespace somaflow;

namespace {

template <typename T>
constexpr const char* type_name = sizeof(T) == 1 ? "uint8" : sizeof(T) == 2 ? "uint16" : "float32";

struct Scratch {
  explicit Scratch(size_t bytes) : memory(static_cast<char*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64)), std::free) {
    std::memset(memory.get(), 0x5a, bytes);
  }
  std::unique_ptr<char, decltype(&std::free)> memory;
};

/// Copies of planes that hold no more than a box of each; those outside of the volume are null.
template <typename T>
struct CutPlanes {
  CutPlanes(const Volume<T>& volume, Stretch planes, PlaneBox box) : stride(box.x1 - box.x0 + draw(0, 3)) {
    for (int64_t z = planes.begin; z < planes.end; ++z) {
      const bool is = z >= 0 && z < volume.depth;
      // No spare at the end, so that a sanitizer sees what is read beyond.
      std::vector<T> pixels(is ? (box.y1 - box.y0 - 1) * stride + box.x1 - box.x0 : 0);
      for (int64_t y = box.y0; is && y < box.y1; ++y) {
        std::copy_n(&volume.at(z, y, box.x0), box.x1 - box.x0, pixels.data() + (y - box.y0) * stride);
      }
      held.push_back(std::move(pixels));
      pointers.push_back(is ? held.back().data() : nullptr);
    }
    window = {pointers.data(), static_cast<int>(pointers.size()), stride, box};
  }
  CutPlanes(const CutPlanes&) = delete;
  ptrdiff_t stride;
  std::vector<std::vector<T>> held;
  std::vector<const void*> pointers;
  WindowPlanes window;
};

/// Both percentiles of a part of a level, made of planes that hold its windows and nothing else.
template <typename T>
struct Level {
  template <typename M>
  Level(const EqualizePlan& plan, const Volume<T>& volume, const Volume<M>* mask, Dtype mask_dtype, int64_t level, Stretch ys, Stretch xs)
      : stride(xs.end - xs.begin + draw(0, 2)), low((ys.end - ys.begin) * stride, -7), high(low) {
    const Scratch scratch(percentile_scratch_bytes<T>());
    const Stretch rows = plan.y().windows(ys), columns = plan.x().windows(xs), inside = plan.z().window(level);
    // Planes beyond the volume are given as null.
    const Stretch planes{inside.begin - draw(0, 1) * (inside.begin == 0), inside.end + draw(0, 1) * (inside.end == volume.depth)};
    const PlaneBox box{rows.begin, rows.end, columns.begin, columns.end};
    const CutPlanes<T> image(volume, planes, box);
    std::unique_ptr<CutPlanes<M>> cut;
    WindowMask window_mask{};
    if (mask) {
      cut = std::make_unique<CutPlanes<M>>(*mask, planes, box);
      window_mask = {mask_dtype, cut->window};
    }
    for (int64_t y = ys.begin; y < ys.end; ++y) {
      const int64_t at = (y - ys.begin) * stride;
      // In one go or in two, which begin anew.
      const int64_t cut_at = draw(0, 1) ? xs.end : xs.begin + draw(0, static_cast<int>(xs.end - xs.begin));
      for (Stretch part : {Stretch{xs.begin, cut_at}, Stretch{cut_at, xs.end}}) {
        percentile_row<T>(plan.percentiles(), image.window, mask ? &window_mask : nullptr, plan.y().window(y), plan.x(), part,
                          &low[at] + (part.begin - xs.begin), &high[at] + (part.begin - xs.begin), scratch.memory.get());
      }
    }
    grid = {low.data(), high.data(), stride, ys.begin, xs.begin};
  }
  Level(const Level&) = delete;
  int64_t stride;
  std::vector<double> low, high;
  PercentileGrid grid;
};

template <typename T, typename M>
void check_box(Target target, const EqualizePlan& plan, const Volume<T>& volume, const Volume<M>* mask, Dtype mask_dtype, int64_t z, PlaneBox box,
               const Plain<T>& plain, Count& count) {
  const SampleCell levels = plan.level_cell(z);
  const Stretch ys = plan.y().centers({box.y0, box.y1}), xs = plan.x().centers({box.x0, box.x1});
  const Level<T> lower(plan, volume, mask, mask_dtype, levels.lower, ys, xs), upper(plan, volume, mask, mask_dtype, levels.upper, ys, xs);
  bool right = true;
  for (int64_t y = ys.begin; y < ys.end; ++y) {
    for (int64_t x = xs.begin; x < xs.end; ++x) {
      const int64_t at = (y - ys.begin) * lower.stride + x - xs.begin;
      right &= lower.low[at] == plain.low.at(levels.lower, y, x) && lower.high[at] == plain.high.at(levels.lower, y, x);
    }
  }
  count.right(right, "percentiles", type_name<T>);

  const CutPlanes<T> source(volume, {z, z + 1}, box);
  const Scratch scratch(plan.scratch_bytes());
  const int64_t columns = box.x1 - box.x0, stride = columns + draw(0, 3);
  std::vector<float> out((box.y1 - box.y0) * stride, -7.0f);
  equalize_rows(target, plan, z, lower.grid, upper.grid, source.held[0].data(), source.stride, box, box, out.data(), stride, scratch.memory.get());
  right = true;
  for (int64_t y = box.y0; y < box.y1; ++y) {
    const float* row = &out[(y - box.y0) * stride];
    right &= std::memcmp(row, &plain.result.at(z, y, box.x0), columns * sizeof(float)) == 0;
    for (int64_t x = columns; x < stride; ++x) right &= row[x] == -7.0f;
  }
  count.right(right, "equalized voxels", type_name<T>);
  ++count.reached[std::string("boxes of ") + type_name<T> + " by " + name_of(target)];
  const Halo halo = halo_of(plan.x(), box.x0, box.x1, xs);
  count.right(halo.before <= count.spacing_x - 1 + count.window_x / 2, "the halo before", type_name<T>);
  count.right(halo.after <= count.spacing_x - 1 + count.window_x - 1 - count.window_x / 2, "the halo after", type_name<T>);
}

template <typename T>
void check(int most, Count& count) {
  const int depth = draw(1, 9), height = draw(1, most), width = draw(0, 19) ? draw(1, most) : draw(500, 1200);
  const Volume<T> volume = drawn_volume<T>(depth, height, width);
  auto spacing = [](int extent) { return draw(0, 9) ? draw(1, std::max(1, extent / 2)) : draw(extent, 2 * extent); };
  auto window = [](int extent) { return draw(0, 4) ? draw(1, extent) : draw(extent, 3 * extent); };
  count.spacing_x = std::max(spacing(width), width > most ? 20 : 1);
  count.window_x = window(std::min(width, most));
  const SampleAxis z(depth, spacing(depth), window(depth)), y(height, spacing(height), window(height)), x(width, count.spacing_x, count.window_x);
  double low = draw(0, 5) ? draw(0, 1000) / 1000.0 : draw(0, 1), high = draw(0, 5) ? draw(0, 1000) / 1000.0 : low;
  if (low > high) std::swap(low, high);
  const Interpolation interpolation = draw(0, 2) ? Interpolation::linear : Interpolation::nearest;
  const EqualizePlan plan({low, high}, draw(1, 400) / 100.0, interpolation, z, y, x);
  const Dtype mask_dtype = static_cast<Dtype>(draw(0, 2));
  with_type(mask_dtype, [&]<typename M>() {
    const Volume<M> drawn = drawn_mask<M>(depth, height, width);
    const Volume<M>* mask = draw(0, 1) ? &drawn : nullptr;
    const Plain<T> plain(plan, volume, mask, count);
    for (const SampleAxis& axis : {z, y, x}) count.right(Plain<T>::same_places(axis, interpolation), "places among the centers", type_name<T>);
    for (int i = 0; i < 4; ++i) {
      PlaneBox box{0, height, 0, width};
      if (i > 0) {
        box.y0 = draw(0, height - 1), box.x0 = draw(0, width - 1);
        box.y1 = draw(static_cast<int>(box.y0) + 1, height), box.x1 = draw(static_cast<int>(box.x0) + 1, width);
      }
      for (const auto& [target, name] : kTargets) {
        if (supported(target)) check_box(target, plan, volume, mask, mask_dtype, draw(0, depth - 1), box, plain, count);
      }
    }
  });
}

/// Seconds of this process that the best of some runs takes; other processes do not count.
template <typename F>
double best(F run) {
  double least = 1e9, total = 0;
  for (int i = 0; i < 3 || total < 0.4; ++i) {
    const std::clock_t start = std::clock();
    run();
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    least = std::min(least, seconds), total += seconds;
  }
  return least;
}

/// Levels of five planes each, of the windows and spacing that are the default.
template <typename T, typename F>
void measure(const char* what, int extent, int window, int spacing, F voxel) {
  const int depth = 5;
  Volume<T> volume{depth, extent, extent};
  for (T& each : volume.voxels) each = static_cast<T>(voxel());
  const EqualizePlan plan({0.5, 0.95}, 1.5, Interpolation::linear, {depth, 5, 5}, {extent, spacing, window}, {extent, spacing, window});
  const int64_t ys = plan.y().count(), xs = plan.x().count();
  const Scratch scratch(std::max(percentile_scratch_bytes<T>(), plan.scratch_bytes()));
  const PlaneBox whole{0, extent, 0, extent};
  std::vector<const void*> planes;
  for (int z = 0; z < depth; ++z) planes.push_back(&volume.at(z, 0, 0));
  const WindowPlanes image{planes.data(), depth, extent, whole};
  std::vector<double> low(ys * xs), high(ys * xs);
  std::vector<float> out(volume.voxels.size());
  const double voxels = static_cast<double>(volume.voxels.size()) / 1e6;
  const double seconds = best([&] {
    for (int64_t y = 0; y < ys; ++y) {
      percentile_row<T>(plan.percentiles(), image, nullptr, plan.y().window(y), plan.x(), {0, xs}, &low[y * xs], &high[y * xs], scratch.memory.get());
    }
  });
  std::printf("%-7s %-26s window %3d spacing %3d: percentiles %5.0f", type_name<T>, what, window, spacing, voxels / seconds);
  const PercentileGrid grid{low.data(), high.data(), xs, 0, 0};
  for (const auto& [target, name] : kTargets) {
    if (!supported(target)) continue;
    const double rows = best([&] {
      for (int z = 0; z < depth; ++z) {
        equalize_rows(target, plan, z, grid, grid, &volume.at(z, 0, 0), extent, whole, whole, &out[volume.index(z, 0, 0)], extent, scratch.memory.get());
      }
    });
    std::printf("  %s %5.0f, whole step %5.0f", name_of(target), voxels / rows, voxels / (seconds + rows));
  }
  std::printf("\n");
}

template <typename T>
void measure_type() {
  auto noise = [] { return sizeof(T) == 1 ? generator() % 200 : 300 + generator() % 1000; };
  auto any = [] { return generator() % (sizeof(T) == 1 ? 256 : 65536); };
  measure<T>("noise", 2048, 200, 50, noise);
  measure<T>("all values", 2048, 200, 50, any);
  measure<T>("zeros", 2048, 200, 50, [] { return 0; });
  measure<T>("mostly zeros", 2048, 200, 50, [&] { return generator() % 8 ? 0 : noise(); });
  measure<T>("noise", 1024, 200, 10, noise);
  measure<T>("noise", 1024, 50, 50, noise);
  measure<T>("noise", 256, 12, 4, noise);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "all";
  Count count;
  if (mode != "bench") {
    for (Dtype dtype : {Dtype::u8, Dtype::u16, Dtype::f32}) {
      with_type(dtype, [&]<typename T>() {
        for (int i = 0; i < 120; ++i) check<T>(i % 3 ? 24 : 70, count);
      });
    }
    std::printf("equalize:");
    for (const auto& [what, times] : count.reached) {
      std::printf(" %s %d,", what.c_str(), times);
      // A case that was never drawn shows nothing.
      count.wrong += times == 0;
    }
    std::printf(" wrong %d\n", count.wrong);
  }
  if (mode != "check") {
    std::printf("Mvoxel/s on five planes, one thread, best\n");
    for (Dtype dtype : {Dtype::u16, Dtype::u8, Dtype::f32}) with_type(dtype, []<typename T>() { measure_type<T>(); });
  }
  return count.wrong ? 1 : 0;
}
