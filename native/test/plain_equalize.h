// What equalize computes, written down plainly: sorted windows, and interpolation of whole grids, axis by axis. With the drawn volumes
// that it is compared on.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/equalize.h"

namespace somaflow {

inline std::mt19937_64 generator(20240607);
inline int draw(int low, int high) { return std::uniform_int_distribution<int>(low, high)(generator); }

/// What was checked, and how often.
struct Count {
  int wrong = 0;
  /// Those of the case that is looked at, along x.
  int spacing_x = 0, window_x = 0;
  std::map<std::string, int> reached;
  void right(bool is, const char* what, const char* type) {
    if (!is && ++wrong <= 20) std::printf("WRONG: %s of %s\n", what, type);
  }
};

template <typename T>
struct Volume {
  int64_t depth, height, width;
  std::vector<T> voxels = std::vector<T>(static_cast<size_t>(depth * height * width));
  size_t index(int64_t z, int64_t y, int64_t x) const { return static_cast<size_t>((z * height + y) * width + x); }
  T& at(int64_t z, int64_t y, int64_t x) { return voxels[index(z, y, x)]; }
  const T& at(int64_t z, int64_t y, int64_t x) const { return voxels[index(z, y, x)]; }
  /// Calls `visit` with every voxel of a box.
  template <typename F>
  void each(Stretch zs, Stretch ys, Stretch xs, F visit) const {
    for (int64_t z = zs.begin; z < zs.end; ++z) {
      for (int64_t y = ys.begin; y < ys.end; ++y) {
        for (int64_t x = xs.begin; x < xs.end; ++x) visit(z, y, x);
      }
    }
  }
};

/// Noise of a drawn range, plateaus, few values, the extreme ones, or floats with no others between them. Floats are of either sign, and
/// none is -0.
template <typename T>
Volume<T> drawn_volume(int depth, int height, int width) {
  using limits = std::numeric_limits<T>;
  Volume<T> volume{depth, height, width};
  const int most = sizeof(T) == 1 ? 255 : 65535, kind = draw(0, 5), low = draw(0, most), high = std::min(most, low + draw(0, most / 20));
  for (T& voxel : volume.voxels) {
    if (kind == 0) {
      const T extremes[] = {limits::lowest(), limits::max(), limits::min(), 0, static_cast<T>(0 - limits::denorm_min())};
      voxel = extremes[draw(0, 4)];
    } else if (kind == 5) {
      voxel = static_cast<T>(100 + draw(0, 3000) * (std::is_floating_point_v<T> ? 0x1p-17 : 0));
    } else if (kind == 1) {
      voxel = static_cast<T>(draw(0, 3));
    } else {
      voxel = static_cast<T>(kind == 2 ? draw(0, most) : draw(low, high));
      if constexpr (std::is_floating_point_v<T>) voxel = (voxel - (kind == 3 ? 20000 : 0)) / 3;
    }
  }
  for (int blob = kind == 5 ? 0 : draw(0, 4); blob > 0; --blob) {
    const int y0 = draw(0, height - 1), x0 = draw(0, width - 1);
    const T value = draw(0, 1) ? limits::max() : 0;
    volume.each({0, depth}, {y0, std::min(height, y0 + 30)}, {x0, std::min(width, x0 + 30)},
                [&](auto z, auto y, auto x) { volume.at(z, y, x) = value; });
  }
  return volume;
}

/// A mask that leaves out a half, nearly all, or all but a corner.
template <typename M>
Volume<M> drawn_mask(int depth, int height, int width) {
  Volume<M> mask{depth, height, width};
  const int kind = draw(0, 2);
  mask.each({0, depth}, {0, height}, {0, width}, [&](auto z, auto y, auto x) {
    const bool inside = kind == 2 ? y < height / 2 && x < width / 2 : draw(0, kind ? 60 : 1) == 0;
    mask.at(z, y, x) = inside ? static_cast<M>(std::is_floating_point_v<M> ? draw(0, 1) - 0.5 : draw(1, 200)) : 0;
  });
  return mask;
}

/// How far beyond a span of voxels the windows of its centers reach, inside the volume.
struct Halo {
  int64_t before, after;
};
inline Halo halo_of(const SampleAxis& axis, int64_t begin, int64_t end, Stretch centers) {
  const Stretch read = axis.windows(centers);
  return {begin - read.begin, read.end - end};
}

/// Percentiles and result of a whole volume.
template <typename T>
struct Plain {
  Volume<double> low, high;
  Volume<float> result;

  template <typename M>
  Plain(const EqualizePlan& plan, const Volume<T>& volume, const Volume<M>* mask, Count& count)
      : low{plan.z().count(), plan.y().count(), plan.x().count()}, high{low}, result{volume.depth, volume.height, volume.width} {
    low.each({0, low.depth}, {0, low.height}, {0, low.width}, [&](auto z, auto y, auto x) {
      std::vector<double> values;
      volume.each(plan.z().window(z), plan.y().window(y), plan.x().window(x), [&](auto a, auto b, auto c) {
        if (!mask || mask->at(a, b, c) != 0) values.push_back(volume.at(a, b, c));
      });
      std::sort(values.begin(), values.end());
      low.at(z, y, x) = percentile(values, plan.percentiles().low);
      high.at(z, y, x) = percentile(values, plan.percentiles().high);
      ++count.reached[values.empty() ? "windows of no voxel" : values.size() > 1024 ? "windows of many voxels" : "windows of few voxels"];
      const Stretch here = plan.x().window(x), next = plan.x().window(std::min(x + 1, low.width - 1));
      if (x + 1 < low.width) ++count.reached[next.begin < here.end ? "windows that overlap" : "windows apart"];
    });
    const Volume<double> lows = at_voxels(plan, low), highs = at_voxels(plan, high);
    for (size_t i = 0; i < result.voxels.size(); ++i) {
      double gain = 1 / std::max(lows.voxels[i], 1.0);
      const bool boosted = highs.voxels[i] * gain > plan.max_value();
      if (boosted) gain = plan.max_value() / highs.voxels[i];
      ++count.reached[boosted ? "voxels held to the greatest value" : "voxels not held"];
      const float scaled = static_cast<float>(volume.voxels[i] * gain);
      count.reached["voxels that would be -0"] += scaled == 0 && std::signbit(scaled);
      result.voxels[i] = scaled == 0 ? 0 : scaled;
    }
  }

  static double percentile(const std::vector<double>& sorted, double of) {
    if (sorted.empty()) return 0;
    const double position = static_cast<double>(sorted.size() - 1) * of, floor = std::floor(position), weight = position - floor;
    const double a = sorted[static_cast<size_t>(floor)], b = sorted[std::min(static_cast<size_t>(floor) + 1, sorted.size() - 1)];
    return weight < 0.5 ? a + (b - a) * weight : b - (b - a) * (1 - weight);
  }

  /// Where a voxel is among the centers, as the reference tells it by NumPy's interp.
  static SampleCell place(const SampleAxis& axis, int64_t voxel, Interpolation interpolation) {
    const int64_t last = axis.count() - 1;
    if (interpolation == Interpolation::nearest) {
      int64_t near = 0;
      for (int64_t i = 1; i <= last; ++i) {
        if (std::abs(axis.center(i) - voxel) < std::abs(axis.center(near) - voxel)) near = i;
      }
      return {near, near, 0};
    }
    double position = voxel <= axis.center(0) ? 0 : static_cast<double>(last);
    for (int64_t i = 0; i < last; ++i) {
      const double begin = static_cast<double>(axis.center(i)), end = static_cast<double>(axis.center(i + 1)), at = static_cast<double>(voxel);
      if (at >= begin && at < end) position = 1 / (end - begin) * (at - begin) + static_cast<double>(i);
    }
    const int64_t lower = std::min(static_cast<int64_t>(position), std::max<int64_t>(0, last - 1));
    return {lower, std::min(lower + 1, last), position - static_cast<double>(lower)};
  }

  /// Whether an axis says the same of every voxel. That all of a voxel's share is one center's may be said in two ways.
  static bool same_places(const SampleAxis& axis, Interpolation interpolation) {
    auto whole = [](const SampleCell& cell) { return cell.weight == 0 ? cell.lower : cell.weight == 1 ? cell.upper : -1; };
    for (int64_t voxel = 0; voxel < axis.extent(); ++voxel) {
      const SampleCell want = place(axis, voxel, interpolation), got = axis.cell(voxel, interpolation);
      if (whole(want) != whole(got)) return false;
      if (whole(want) < 0 && (want.lower != got.lower || want.upper != got.upper || want.weight != got.weight)) return false;
    }
    return true;
  }

  /// Axis by axis, as the reference does it.
  static Volume<double> at_voxels(const EqualizePlan& plan, const Volume<double>& grid) {
    auto mixed = [&](const SampleAxis& axis, int64_t voxel, auto value) {
      const SampleCell cell = place(axis, voxel, plan.interpolation());
      return value(cell.lower) * (1 - cell.weight) + value(cell.upper) * cell.weight;
    };
    const int64_t depth = plan.z().extent(), height = plan.y().extent(), width = plan.x().extent();
    Volume<double> z_done{depth, grid.height, grid.width}, y_done{depth, height, grid.width}, done{depth, height, width};
    z_done.each({0, depth}, {0, grid.height}, {0, grid.width},
                [&](auto z, auto y, auto x) { z_done.at(z, y, x) = mixed(plan.z(), z, [&](auto i) { return grid.at(i, y, x); }); });
    y_done.each({0, depth}, {0, height}, {0, grid.width},
                [&](auto z, auto y, auto x) { y_done.at(z, y, x) = mixed(plan.y(), y, [&](auto i) { return z_done.at(z, i, x); }); });
    done.each({0, depth}, {0, height}, {0, width},
              [&](auto z, auto y, auto x) { done.at(z, y, x) = mixed(plan.x(), x, [&](auto i) { return y_done.at(z, y, i); }); });
    return done;
  }
};

}  // namespace somaflow
