#include "kernels/opening_tiles.h"

#include <algorithm>
#include <utility>

namespace somaflow {

namespace {

using Interval = std::pair<int64_t, int64_t>;

/// The opening also works on what its element reaches around a box: many small ones cost more than a whole row.
bool most(const std::vector<uint8_t>& flags) { return 2 * std::count(flags.begin(), flags.end(), 1) > static_cast<int64_t>(flags.size()); }

/// Columns that are to be opened in a row of tiles whose flags these are, counted from the first.
void intervals_of(const std::vector<uint8_t>& flags, int64_t columns, std::vector<Interval>& intervals) {
  intervals.clear();
  const int64_t tiles = static_cast<int64_t>(flags.size());
  if (most(flags)) {
    intervals.emplace_back(0, columns);
    return;
  }
  for (int64_t tile = 0; tile < tiles; ++tile) {
    if (flags[static_cast<size_t>(tile)] == 0) continue;
    const Interval next = {tile * kTileColumns, std::min((tile + 1) * kTileColumns, columns)};
    // A tile that lies between two others costs less than what is reached at either side of it.
    if (!intervals.empty() && next.first - intervals.back().second <= kTileColumns) intervals.back().second = next.second;
    else intervals.push_back(next);
  }
}

}  // namespace

template <typename T>
std::vector<PlaneBox> boxes_above(Target target, const T* source, ptrdiff_t source_stride, PlaneBox have, PlaneBox box, T limit) {
  const TilesAbove<T> tiles_above = row_kernels<T>(target).tiles_above;
  const int64_t columns = box.x1 - box.x0;
  std::vector<uint8_t> flags(static_cast<size_t>((columns + kTileColumns - 1) / kTileColumns));
  std::vector<PlaneBox> boxes;
  std::vector<Interval> intervals, above;  // of this row of tiles, and of the one above it, whose boxes are the last ones
  for (int64_t y0 = box.y0; y0 < box.y1; y0 += kTileRows) {
    const int64_t y1 = std::min(y0 + kTileRows, box.y1);
    std::fill(flags.begin(), flags.end(), uint8_t{0});
    // Where the whole row is opened anyway, it need not be read further.
    for (int64_t y = y0; y < y1 && !most(flags); ++y)
      tiles_above(source + (y - have.y0) * source_stride + (box.x0 - have.x0), static_cast<size_t>(columns), limit, flags.data());
    intervals_of(flags, columns, intervals);
    if (!intervals.empty() && intervals == above) {
      for (auto last = boxes.end() - static_cast<ptrdiff_t>(above.size()); last != boxes.end(); ++last) last->y1 = y1;
    } else {
      for (const auto& [from, to] : intervals) boxes.push_back({y0, y1, box.x0 + from, box.x0 + to});
    }
    std::swap(intervals, above);
  }
  return boxes;
}

template <typename T>
int64_t subtract_opening_above(Target target, const OpeningPlan& plan, const T* source, ptrdiff_t source_stride, PlaneBox have,
                               int64_t height, int64_t width, PlaneBox box, T* out, ptrdiff_t out_stride, void* scratch, T limit) {
  const std::vector<PlaneBox> boxes = boxes_above(target, source, source_stride, have, box, limit);
  // Whole rows, though boxes lie in some of them: of long runs of memory no old content need be fetched.
  const auto clear = [&](int64_t y0, int64_t y1) {
    for (int64_t y = y0; y < y1; ++y) std::fill_n(out + (y - box.y0) * out_stride, box.x1 - box.x0, T{0});
  };
  int64_t opened = 0, cleared = box.y0;
  for (const PlaneBox& part : boxes) {
    const bool whole = part.x1 - part.x0 == box.x1 - box.x0;
    clear(cleared, whole ? part.y0 : part.y1);
    cleared = std::max(cleared, part.y1);
    subtract_opening<T>(target, plan, source, source_stride, have, height, width, part,
                        out + (part.y0 - box.y0) * out_stride + (part.x0 - box.x0), out_stride, scratch);
    opened += (part.y1 - part.y0) * (part.x1 - part.x0);
  }
  clear(cleared, box.y1);
  return opened;
}

template std::vector<PlaneBox> boxes_above(Target, const uint8_t*, ptrdiff_t, PlaneBox, PlaneBox, uint8_t);
template std::vector<PlaneBox> boxes_above(Target, const uint16_t*, ptrdiff_t, PlaneBox, PlaneBox, uint16_t);
template int64_t subtract_opening_above(Target, const OpeningPlan&, const uint8_t*, ptrdiff_t, PlaneBox, int64_t, int64_t, PlaneBox,
                                        uint8_t*, ptrdiff_t, void*, uint8_t);
template int64_t subtract_opening_above(Target, const OpeningPlan&, const uint16_t*, ptrdiff_t, PlaneBox, int64_t, int64_t, PlaneBox,
                                        uint16_t*, ptrdiff_t, void*, uint16_t);

}  // namespace somaflow
