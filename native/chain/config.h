// What a chain is asked to do on one block. Plain values, copied from JavaScript once; nothing here changes while it runs.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "chain/channels.h"
#include "chain/span.h"
#include "kernels/dog.h"
#include "kernels/dtype.h"
#include "kernels/equalize.h"
#include "kernels/opening.h"
#include "kernels/target.h"

namespace somaflow {

// The steps that make images, each as it was asked.
struct OpeningStep {
  OpeningElement element;
};
struct DogStep {
  DogOptions options;
};
// The flat field and the background have the extent of the volume's planes; they belong to the caller.
struct IlluminationStep {
  const double* flatfield = nullptr;
  const double* background = nullptr;  // null: 0 everywhere
  double scaling = 1;
};
struct EqualizeStep {
  Percentiles percentiles{};
  double max_value = 0;
  Interpolation interpolation = Interpolation::linear;
  std::array<int, 3> window{}, spacing{};  // z, y, x
  int32_t mask = -1;                       // the image whose voxels have to be other than 0 to count; -1: all count
};
// A step whose planes are made outside of the chain, which waits for them.
struct ExternalStep {
  std::vector<int32_t> others;  // images of which it is given the same window, beside the one that it is made of
};
using StepConfig = std::variant<std::monostate, OpeningStep, DogStep, IlluminationStep, EqualizeStep, ExternalStep>;

// An image of the chain: one that the caller reads, or what a step makes of another.
struct ImageConfig {
  Dtype dtype = Dtype::u16;
  Span z, y, x;       // the planes, rows and columns that are there: those that anything asks for
  int32_t from = -1;  // the image that it is made of, an earlier one; -1: it is an input, which the caller fills
  std::string name;   // of what comes from outside, for errors; empty for the input that blocks are of
  Window window_z;    // of a made image, the planes of the other one that each of its planes takes
  StepConfig step;    // how it is made

  // Null where native code makes it, or nobody does.
  const ExternalStep* external() const { return std::get_if<ExternalStep>(&step); }
};

// A volume that is 0 where nothing counts; it may be coarser than the images. Its planes come like those of an input, one for
// each plane of the volume.
struct TissueConfig {
  bool asked = false;
  Dtype dtype = Dtype::u8;
  int32_t height = 0, width = 0;  // of its planes
  Span y, x;                      // the rows and columns that are read
};

// How far a maximum has to stand out: the voxels that are at most `height` below it, joined to it, hold nothing that beats it.
struct ProminenceConfig {
  double height = 0;
  int32_t reach_z = 0, reach_y = 0, reach_x = 0;  // how far they are followed
};

// A window around each maximum, whose voxels are measured outside of the chain, which waits for the values.
struct AroundConfig {
  int32_t image = 0;
  Window z, y, x;
  size_t voxels() const { return static_cast<size_t>(z.size()) * static_cast<size_t>(y.size()) * static_cast<size_t>(x.size()); }
};

// A search for cells in one image.
struct DetectorConfig {
  int32_t image = 0;
  std::vector<int32_t> channels;  // images whose values are kept beside the image's, to be measured
  Window window_z, window_y, window_x;
  bool first_of_equals = true;  // whether a maximum with an equal peak before it in its window is dropped
  double seed_threshold = 0;    // seeds are above it, and above the mask's threshold
  std::optional<ProminenceConfig> prominence;
  bool shape = false;
  double mask_threshold = 0;
  std::optional<double> radius;  // without shape: of the spheres around maxima that are measured
  std::vector<AroundConfig> around;
  FloodRules rules;

  // Whether an equal voxel before a maximum is a peak depends on that voxel's own window.
  Window peaks_beyond(Window window) const { return first_of_equals ? window : Window{}; }
  // The planes around each that are looked at before its maxima are known.
  Window image_z() const {
    const int32_t reach = prominence ? prominence->reach_z : 0;
    return {std::max(window_z.before, reach), std::max(window_z.after, reach)};
  }
  // The planes before and behind a maximum that are measured.
  int32_t measured_z() const { return radius ? static_cast<int32_t>(std::ceil(*radius)) : 0; }
  // Numbers of a cell. Without shape x, y, z, what was measured of each channel, the numbers that seeds bring, those reserved.
  size_t row_width() const {
    if (shape) return rules.row_width();
    return measured_width() + static_cast<size_t>(rules.seed_values + rules.reserved);
  }
  // Without shape, of these the ones before what seeds bring.
  size_t measured_width() const { return 3 + (radius ? rules.channels.size() : 0); }
};

// What is copied out, plane by plane, on the core: an image, or 1 where a detector's maxima are and 0 elsewhere.
struct SaveConfig {
  int32_t image = -1;
  int32_t detector = -1;
};

struct ChainConfig {
  Target target = Target::portable;
  int32_t depth = 0;              // of the volume; 0 while it is not known
  int32_t height = 0, width = 0;  // of its planes
  Box core;                       // what the block answers for
  Box read;                       // what is read: the core and its halo, clipped to the volume; the last plane may come earlier
  bool inner_low[3] = {};         // whether another core lies before this one along z, y, x
  bool inner_high[3] = {};        // whether one lies after; that of z is told with the last planes instead

  std::vector<ImageConfig> images;
  TissueConfig tissue;
  std::vector<DetectorConfig> detectors;
  std::vector<SaveConfig> saves;

  int32_t batch_planes = 1;        // planes of one push
  size_t held_limit = 0;           // bytes of a detector's open components beyond which they leave as fragments
  size_t fragment_limit = 0;       // bytes of the largest fragment; larger ones leave in linked parts
  int32_t flood_limit_voxels = 0;  // larger components are not flooded here but leave as fragments

  // The images that one is made of, first the one that it is a step of.
  static std::vector<int32_t> inputs_of(const ImageConfig& image) {
    if (image.from < 0) return {};
    std::vector<int32_t> inputs = {image.from};
    if (const auto* step = std::get_if<EqualizeStep>(&image.step); step != nullptr && step->mask >= 0) inputs.push_back(step->mask);
    if (const ExternalStep* const step = image.external()) inputs.insert(inputs.end(), step->others.begin(), step->others.end());
    return inputs;
  }
  // Where of an opening only values above a limit are ever asked for, because nothing but detectors reads it, as what they divide into cells:
  // that limit, which is not below 0.
  std::optional<double> counts_above(int32_t image) const;

  // How many planes an image is behind those that arrive.
  int32_t lag(int32_t image) const {
    const ImageConfig& made = images[static_cast<size_t>(image)];
    int32_t most = 0;
    for (const int32_t input : inputs_of(made)) most = std::max(most, lag(input) + made.window_z.after);
    return most;
  }
  // How many planes the judged ones of a detector are behind.
  int32_t lag(const DetectorConfig& detector) const {
    int32_t most = lag(detector.image) + std::max(detector.image_z().after, detector.measured_z());
    for (const int32_t channel : detector.channels) most = std::max(most, lag(channel) + detector.measured_z());
    for (const AroundConfig& around : detector.around) most = std::max(most, lag(around.image) + around.z.after);
    return most;
  }
  // Planes of an image before its newest that something still looks at.
  int32_t planes_behind(int32_t image) const {
    int32_t behind = 0;
    for (size_t i = 0; i < images.size(); ++i)
      for (const int32_t input : inputs_of(images[i]))
        if (input == image)
          behind = std::max(behind, lag(static_cast<int32_t>(i)) - lag(image) + images[i].window_z.before);
    for (const DetectorConfig& detector : detectors) {
      const int32_t ahead = lag(detector) - lag(image);
      if (detector.image == image)
        behind = std::max(behind, ahead + std::max(detector.image_z().before, detector.measured_z()));
      else if (std::find(detector.channels.begin(), detector.channels.end(), image) != detector.channels.end())
        behind = std::max(behind, ahead + detector.measured_z());
      for (const AroundConfig& around : detector.around)
        if (around.image == image) behind = std::max(behind, ahead + around.z.before);
    }
    return behind;
  }
  // All inputs have rings of the same depth: the batch that arrives, the one at work, and those that are still looked at.
  int32_t source_planes() const {
    int32_t behind = 0;
    for (int32_t i = 0; i < static_cast<int32_t>(images.size()); ++i)
      if (images[static_cast<size_t>(i)].from < 0) behind = std::max(behind, planes_behind(i));
    for (const DetectorConfig& detector : detectors)
      if (tissue.asked) behind = std::max(behind, lag(detector));
    return (2 + (behind + batch_planes - 1) / batch_planes) * batch_planes;
  }
};

}  // namespace somaflow
