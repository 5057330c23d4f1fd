#include "chain/maxima.h"

#include <algorithm>
#include <utility>

namespace somaflow {

void Maxima::add_plane(int32_t z, std::vector<Peak>&& peaks, std::vector<Seed>& seeds) {
  const auto in_core = [&](const Peak& peak) { return core_.z.holds(z) && core_.y.holds(peak.y) && core_.x.holds(peak.x); };
  if (!detector_.first_of_equals) {
    for (const Peak& peak : peaks)
      if (in_core(peak)) seeds.push_back({z, peak.y, peak.x});
    return;
  }
  while (!planes_.empty() && planes_.front().z < z - detector_.window_z.before) planes_.pop_front();
  planes_.push_back({z, std::move(peaks), {}});
  PlanePeaks& plane = planes_.back();
  plane.row_start.resize(static_cast<size_t>(rows_.size()) + 1);
  size_t at = 0;
  for (int32_t y = rows_.start; y <= rows_.stop; ++y) {
    while (at < plane.peaks.size() && plane.peaks[at].y < y) ++at;
    plane.row_start[static_cast<size_t>(y - rows_.start)] = static_cast<uint32_t>(at);
  }
  for (const Peak& peak : plane.peaks)
    if (in_core(peak) && !has_equal_before(z, peak)) seeds.push_back({z, peak.y, peak.x});
}

bool Maxima::has_equal_before(int32_t z, const Peak& peak) const {
  const int32_t first = std::max(peak.y - detector_.window_y.before, rows_.start);
  const int32_t last = std::min(peak.y + detector_.window_y.after, rows_.stop - 1);
  const int32_t from = peak.x - detector_.window_x.before;
  const int32_t to = peak.x + detector_.window_x.after;
  for (const PlanePeaks& plane : planes_) {
    const bool own = plane.z == z;
    for (int32_t y = first; y <= (own ? peak.y : last); ++y)
      if (holds_equal(plane, y, from, own && y == peak.y ? peak.x - 1 : to, peak.bits)) return true;
  }
  return false;
}

bool Maxima::holds_equal(const PlanePeaks& plane, int32_t y, int32_t from, int32_t to, uint32_t bits) const {
  const size_t row = static_cast<size_t>(y - rows_.start);
  const Peak* begin = plane.peaks.data() + plane.row_start[row];
  const Peak* end = plane.peaks.data() + plane.row_start[row + 1];
  const Peak* at = std::lower_bound(begin, end, from, [](const Peak& peak, int32_t x) { return peak.x < x; });
  for (; at != end && at->x <= to; ++at)
    if (at->bits == bits) return true;
  return false;
}

}  // namespace somaflow
