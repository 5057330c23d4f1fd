// What a chain is asked to do on one block. Plain values, copied from JavaScript once; nothing here changes while it runs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/target.h"

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

struct ChainConfig {
  Target target = Target::portable;
  int32_t height = 0, width = 0;  // of the volume's planes
  Box core;                       // what the block answers for
  Box read;                       // what is read: the core and its halo, clipped to the volume; the last plane may come earlier
  bool inner_low[3] = {};         // whether another core lies before this one along z, y, x
  bool inner_high[3] = {};        // whether one lies after; that of z is told with the last planes instead

  int32_t background_y = 0, background_x = 0;  // size of the opening's disk; 0: no background step
  bool maxima = false;
  Window window_z, window_y, window_x;
  double seed_threshold = 0;  // seeds are above it, and above the mask's threshold
  bool shape = false;
  double mask_threshold = 0;
  bool source_channel = false;  // whether the source's values are kept beside the image's, to be measured

  int32_t batch_planes = 1;      // planes of one push
  size_t held_limit = 0;         // bytes of open components beyond which they leave as fragments
  size_t fragment_limit = 0;     // bytes of the largest fragment; larger ones leave in linked parts
  int32_t flood_limit_voxels = 0;  // larger components are not flooded here but leave as fragments

  int32_t channels() const { return source_channel ? 2 : 1; }
  bool background() const { return background_y > 0; }
  // The planes' part on which the image (the background, else the source) is needed: the core and the maxima's reach.
  // The window counts twice, since whether an equal voxel before a maximum is a peak depends on that voxel's own window.
  Span image_y() const { return grown(core.y, twice(window_y), read.y); }
  Span image_x() const { return grown(core.x, twice(window_x), read.x); }
  Span peaks_y() const { return grown(core.y, window_y, read.y); }
  Span peaks_x() const { return grown(core.x, window_x, read.x); }
  // Peaks after the core's last plane cannot come before a maximum of the core.
  Span peaks_z() const { return {std::max(core.z.start - window_z.before, read.z.start), core.z.stop}; }

  // Batches of the source ring: the one that arrives, the one at work, and those that the window still looks back on.
  int32_t source_batches() const {
    const int32_t behind = window_z.after + (background() ? 0 : window_z.before);
    return 2 + (behind + batch_planes - 1) / batch_planes;
  }
  int32_t source_planes() const { return source_batches() * batch_planes; }
  int32_t image_planes() const { return background() ? window_z.before + window_z.after + batch_planes : 0; }

 private:
  static Window twice(Window w) { return {2 * w.before, 2 * w.after}; }
};

}  // namespace somaflow
