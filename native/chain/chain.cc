#include "chain/chain.h"

#include <algorithm>
#include <utility>

namespace somaflow {

namespace {

size_t saved_plane_bytes(const ChainConfig& config, int32_t image) {
  return static_cast<size_t>(config.core.y.size()) * static_cast<size_t>(config.core.x.size()) *
         bytes_of(config.images[static_cast<size_t>(image)].dtype);
}

}  // namespace

ChainNeeds chain_needs(const ChainConfig& config, int width) {
  ChainNeeds needs{};
  needs.input_bytes = Images::input_bytes(config);
  needs.workspace_bytes = Images::workspace_bytes(config, width);
  // The last push leaves a batch, and what the image was behind.
  for (const int32_t image : config.saves)
    needs.saved_bytes.push_back(saved_plane_bytes(config, image) * static_cast<size_t>(config.batch_planes + config.lag(image)));
  for (const DetectorConfig& detector : config.detectors) needs.sparse_bytes += Detector::sparse_bytes(config, detector, width);
  return needs;
}

Chain::Chain(const ChainConfig& config, std::vector<std::byte*> inputs, std::byte* workspace, std::vector<std::byte*> saved)
    : config_(config),
      saved_(std::move(saved)),
      images_(config_, std::move(inputs), workspace),
      tissue_(config_, images_),
      arrived_(config.read.z.start) {
  for (const DetectorConfig& detector : config_.detectors) detectors_.emplace_back(config_, detector, images_, tissue_, stop_);
}

ChainOutput Chain::push(int planes, bool last, bool inner_high_z, int width) {
  ChainOutput out{std::vector<DetectorOutput>(detectors_.size()), {}};
  for (const int32_t image : config_.saves) {
    const int32_t from = std::max(images_.made(image), config_.core.z.start);
    out.saved.push_back({from, from});
  }
  arrived_ += planes;
  images_.arrive(arrived_, last, width, stop_);
  // Every turn makes a batch of each image at most, so that rings need hold no more.
  for (bool more = true; more && !stopped();) {
    more = images_.advance(width, stop_);
    for (size_t i = 0; i < saved_.size() && !stopped(); ++i) save(i, out.saved[i]);
    for (size_t i = 0; i < detectors_.size() && !stopped(); ++i)
      detectors_[i].advance(last && !more, inner_high_z, width, out.detectors[i]);
  }
  for (size_t i = 0; i < detectors_.size() && !stopped(); ++i) detectors_[i].settle(width, out.detectors[i]);
  return out;
}

// Copies the planes of a saved image that are new, behind those of this push that were copied before.
void Chain::save(size_t n, Span& saved) {
  const int32_t image = config_.saves[n];
  const int32_t to = std::min(images_.made(image), config_.core.z.stop);
  if (to <= saved.stop) return;
  images_.copy(image, saved.stop, to, saved_[n] + saved_plane_bytes(config_, image) * static_cast<size_t>(saved.stop - saved.start));
  saved.stop = to;
}

}  // namespace somaflow
