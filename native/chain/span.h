#pragma once

#include <algorithm>
#include <cstdint>

namespace somaflow {

// A half-open interval of voxels along one axis, in coordinates of the whole volume.
struct Span {
  int32_t start = 0;
  int32_t stop = 0;
  int32_t size() const { return stop - start; }
  bool holds(int32_t at) const { return at >= start && at < stop; }
};

struct Box {
  Span z, y, x;
};

// The window of size s around p along an axis: from p - before to p + after.
struct Window {
  int32_t before = 0;
  int32_t after = 0;
  int32_t size() const { return before + 1 + after; }
};

// A span grown by the window's reach, as far as there are voxels.
inline Span grown(Span span, Window by, Span within) {
  return {std::max(span.start - by.before, within.start), std::min(span.stop + by.after, within.stop)};
}

}  // namespace somaflow
