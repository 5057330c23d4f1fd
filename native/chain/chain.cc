#include "chain/chain.h"

#include <algorithm>
#include <utility>

namespace somaflow {

ChainNeeds chain_needs(const ChainConfig& config, int width) {
  ChainNeeds needs{};
  needs.input_bytes = Images::input_bytes(config);
  needs.workspace_bytes = Images::workspace_bytes(config, width);
  const size_t core_plane = static_cast<size_t>(config.core.y.size()) * static_cast<size_t>(config.core.x.size());
  for (const int32_t image : config.saves)
    needs.saved_bytes.push_back(core_plane * static_cast<size_t>(config.batch_planes) *
                                bytes_of(config.images[static_cast<size_t>(image)].dtype));
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

std::vector<DetectorOutput> Chain::push(int planes, bool last, bool inner_high_z, int width) {
  std::vector<DetectorOutput> outputs(detectors_.size());
  const int32_t from = arrived_;
  arrived_ += planes;
  images_.advance(from, arrived_, width, stop_);
  const int32_t saved_from = std::max(from, config_.core.z.start), saved_to = std::min(arrived_, config_.core.z.stop);
  for (size_t i = 0; i < saved_.size() && !stopped(); ++i) images_.copy(config_.saves[i], saved_from, saved_to, saved_[i]);
  for (size_t i = 0; i < outputs.size() && !stopped(); ++i)
    detectors_[i].advance(arrived_, last, inner_high_z, width, outputs[i]);
  return outputs;
}

}  // namespace somaflow
