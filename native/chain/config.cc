#include "chain/config.h"

namespace somaflow {

std::optional<double> ChainConfig::counts_above(int32_t image) const {
  for (const ImageConfig& other : images)
    for (const int32_t input : inputs_of(other))
      if (input == image) return std::nullopt;
  for (const SaveConfig& save : saves)
    if (save.image == image) return std::nullopt;
  std::optional<double> least;
  for (const DetectorConfig& detector : detectors) {
    if (std::find(detector.channels.begin(), detector.channels.end(), image) != detector.channels.end()) return std::nullopt;
    for (const AroundConfig& around : detector.around)
      if (around.image == image) return std::nullopt;
    if (detector.image != image) continue;
    // Spheres hold whatever is around a maximum, and how far it stands out is told by what is below it.
    if (detector.radius || detector.prominence) return std::nullopt;
    const double limit = detector.shape ? std::min(detector.seed_threshold, detector.mask_threshold) : detector.seed_threshold;
    least = std::min(least.value_or(limit), limit);
  }
  if (least && !(*least >= 0)) return std::nullopt;
  return least;
}

}  // namespace somaflow
