// What a chain is asked to do on one block. Plain values, copied from JavaScript once; nothing here changes while it runs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "chain/channels.h"
#include "kernels/dtype.h"
#include "kernels/opening.h"
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

// An image of the chain: one that the caller reads, or what a step makes of another.
struct ImageConfig {
  Dtype dtype = Dtype::u16;
  Span z, y, x;       // the planes, rows and columns that are there: those that anything asks for
  int32_t from = -1;  // the image that it is made of, an earlier one; -1: it is an input, which the caller fills
  OpeningElement element{};
};

// A volume that is 0 where nothing counts; it may be coarser than the images. Its planes come like those of an input, one for
// each plane of the volume.
struct TissueConfig {
  bool asked = false;
  Dtype dtype = Dtype::u8;
  int32_t height = 0, width = 0;  // of its planes
  Span y, x;                      // the rows and columns that are read
};

// A search for cells in one image.
struct DetectorConfig {
  int32_t image = 0;
  std::vector<int32_t> channels;  // images whose values are kept beside the image's, to be measured
  Window window_z, window_y, window_x;
  bool first_of_equals = true;  // whether a maximum with an equal peak before it in its window is dropped
  double seed_threshold = 0;    // seeds are above it, and above the mask's threshold
  bool shape = false;
  double mask_threshold = 0;
  FloodRules rules;

  // Whether an equal voxel before a maximum is a peak depends on that voxel's own window.
  Window peaks_beyond(Window window) const { return first_of_equals ? window : Window{}; }
};

struct ChainConfig {
  Target target = Target::portable;
  int32_t height = 0, width = 0;  // of the volume's planes
  Box core;                       // what the block answers for
  Box read;                       // what is read: the core and its halo, clipped to the volume; the last plane may come earlier
  bool inner_low[3] = {};         // whether another core lies before this one along z, y, x
  bool inner_high[3] = {};        // whether one lies after; that of z is told with the last planes instead

  std::vector<ImageConfig> images;
  TissueConfig tissue;
  std::vector<DetectorConfig> detectors;
  std::vector<int32_t> saves;  // images whose planes are copied out, on the core

  int32_t batch_planes = 1;        // planes of one push
  size_t held_limit = 0;           // bytes of a detector's open components beyond which they leave as fragments
  size_t fragment_limit = 0;       // bytes of the largest fragment; larger ones leave in linked parts
  int32_t flood_limit_voxels = 0;  // larger components are not flooded here but leave as fragments

  // Planes before the newest that something still looks at.
  int32_t planes_behind(int32_t image) const {
    int32_t behind = 0;
    for (const DetectorConfig& detector : detectors) {
      const bool searched = detector.image == image;
      const bool measured = std::find(detector.channels.begin(), detector.channels.end(), image) != detector.channels.end();
      if (searched) behind = std::max(behind, detector.window_z.before + detector.window_z.after);
      if (measured) behind = std::max(behind, detector.window_z.after);
    }
    return behind;
  }
  // All inputs have rings of the same depth: the batch that arrives, the one at work, and those that are still looked at.
  int32_t source_planes() const {
    int32_t behind = 0;
    for (int32_t i = 0; i < static_cast<int32_t>(images.size()); ++i)
      if (images[static_cast<size_t>(i)].from < 0) behind = std::max(behind, planes_behind(i));
    for (const DetectorConfig& detector : detectors)
      if (tissue.asked) behind = std::max(behind, detector.window_z.after);
    return (2 + (behind + batch_planes - 1) / batch_planes) * batch_planes;
  }
};

}  // namespace somaflow
