#include "chain/peaks.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace somaflow {

Limit limit_of(double threshold) {
  if (threshold < 0) return {0, true, false};
  if (threshold >= 65535) return {65535, false, true};
  return {static_cast<uint16_t>(std::floor(threshold)), false, false};
}

PeakTest::PeakTest(const ChainConfig& config)
    : z_(config.window_z),
      y_(config.window_y),
      x_(config.window_x),
      limit_(limit_of(config.seed_threshold)),
      kernels_(row_kernels(config.target)) {
  for (int32_t z = -z_.before; z <= z_.after; ++z)
    for (int32_t y = -y_.before; y <= y_.after; ++y) nearest_first_.push_back({z, y});
  std::stable_sort(nearest_first_.begin(), nearest_first_.end(),
                   [](const Row& a, const Row& b) { return a.z * a.z + a.y * a.y < b.z * b.z + b.y * b.y; });
}

void PeakTest::find(const ImagePlane* planes, Span rows, Span columns, std::vector<uint64_t>& bits,
                    std::vector<Peak>& peaks) const {
  if (limit_.none) return;
  const ImagePlane& plane = planes[z_.before];
  const bool before = z_.before > 0 && planes[z_.before - 1].data != nullptr;
  const bool after = z_.after > 0 && planes[z_.before + 1].data != nullptr;
  bits.resize((static_cast<size_t>(columns.size()) + 63) / 64);
  for (int32_t y = rows.start; y < rows.stop; ++y) {
    const uint16_t* row = plane.row(y);
    const auto test = [&](int32_t x) {
      if (is_peak(planes, y, x, row[x])) peaks.push_back({y, x, row[x]});
    };
    if (limit_.all) {  // a negative threshold: every voxel may be one, 0 included
      for (int32_t x = columns.start; x < columns.stop; ++x) test(x);
      continue;
    }
    const uint16_t* above = y_.before > 0 && plane.rows.holds(y - 1) ? plane.row(y - 1) : row;
    const uint16_t* below = y_.after > 0 && plane.rows.holds(y + 1) ? plane.row(y + 1) : row;
    const uint16_t* previous = before ? planes[z_.before - 1].row(y) : row;
    const uint16_t* next = after ? planes[z_.before + 1].row(y) : row;
    // The first and last voxel of the row may lack a neighbour; they are tested apart.
    Span inner = columns;
    if (x_.before > 0 && inner.start == plane.columns.start) ++inner.start;
    if (x_.after > 0 && inner.stop == plane.columns.stop) --inner.stop;
    const auto edge = [&](int32_t x) {
      if (row[x] > limit_.value) test(x);
    };
    if (inner.start > columns.start) edge(columns.start);
    if (inner.size() > 0) {
      const size_t count = static_cast<size_t>(inner.size());
      const int32_t x0 = inner.start;
      kernels_.peak_bits(row + x0, above + x0, below + x0, previous + x0, next + x0, x_.before > 0, x_.after > 0, count,
                         limit_.value, bits.data());
      for (size_t word = 0; word * 64 < count; ++word)
        for (uint64_t left = bits[word]; left != 0; left &= left - 1)
          test(x0 + static_cast<int32_t>(word * 64) + __builtin_ctzll(left));
    }
    if (inner.stop < columns.stop && columns.stop - 1 >= inner.start) edge(columns.stop - 1);
  }
}

bool PeakTest::is_peak(const ImagePlane* planes, int32_t y, int32_t x, uint16_t value) const {
  const ImagePlane& own = planes[z_.before];
  // Here the image ends only where the volume ends: it is the core grown by twice the window.
  const int32_t from = std::max(x - x_.before, own.columns.start);
  const int32_t to = std::min(x + x_.after, own.columns.stop - 1);
  for (const Row& offset : nearest_first_) {
    const ImagePlane& plane = planes[z_.before + offset.z];
    if (plane.data == nullptr || !plane.rows.holds(y + offset.y)) continue;
    const uint16_t* row = plane.row(y + offset.y);
    for (int32_t at = from; at <= to; ++at)
      if (row[at] > value) return false;
  }
  return true;
}

void FirstOfEquals::add_plane(int32_t z, std::vector<Peak>&& peaks, std::vector<Seed>& seeds) {
  const Span rows = config_.peaks_y();
  while (!planes_.empty() && planes_.front().z < z - config_.window_z.before) planes_.pop_front();
  planes_.push_back({z, std::move(peaks), {}});
  PlanePeaks& plane = planes_.back();
  plane.row_start.resize(static_cast<size_t>(rows.size()) + 1);
  size_t at = 0;
  for (int32_t y = rows.start; y <= rows.stop; ++y) {
    while (at < plane.peaks.size() && plane.peaks[at].y < y) ++at;
    plane.row_start[static_cast<size_t>(y - rows.start)] = static_cast<uint32_t>(at);
  }
  if (!config_.core.z.holds(z)) return;
  for (const Peak& peak : plane.peaks)
    if (config_.core.y.holds(peak.y) && config_.core.x.holds(peak.x) && !has_equal_before(z, peak))
      seeds.push_back({z, peak.y, peak.x});
}

bool FirstOfEquals::has_equal_before(int32_t z, const Peak& peak) const {
  const Span rows = config_.peaks_y();
  const int32_t first = std::max(peak.y - config_.window_y.before, rows.start);
  const int32_t last = std::min(peak.y + config_.window_y.after, rows.stop - 1);
  const int32_t from = peak.x - config_.window_x.before;
  const int32_t to = peak.x + config_.window_x.after;
  for (const PlanePeaks& plane : planes_) {
    const bool own = plane.z == z;
    for (int32_t y = first; y <= (own ? peak.y : last); ++y)
      if (holds_equal(plane, y, from, own && y == peak.y ? peak.x - 1 : to, peak.value)) return true;
  }
  return false;
}

bool FirstOfEquals::holds_equal(const PlanePeaks& plane, int32_t y, int32_t from, int32_t to, uint16_t value) const {
  const size_t row = static_cast<size_t>(y - config_.peaks_y().start);
  const Peak* begin = plane.peaks.data() + plane.row_start[row];
  const Peak* end = plane.peaks.data() + plane.row_start[row + 1];
  const Peak* at = std::lower_bound(begin, end, from, [](const Peak& peak, int32_t x) { return peak.x < x; });
  for (; at != end && at->x <= to; ++at)
    if (at->value == value) return true;
  return false;
}

}  // namespace somaflow
