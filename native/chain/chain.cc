#include "chain/chain.h"

#include <algorithm>
#include <utility>

namespace somaflow {

namespace {

size_t saved_plane_bytes(const ChainConfig& config, const SaveConfig& save) {
  const size_t pixels = static_cast<size_t>(config.core.y.size()) * static_cast<size_t>(config.core.x.size());
  return save.image < 0 ? pixels : pixels * bytes_of(config.images[static_cast<size_t>(save.image)].dtype);
}

// How many planes what is saved is behind those that arrive.
int32_t saved_lag(const ChainConfig& config, const SaveConfig& save) {
  return save.image < 0 ? config.lag(config.detectors[static_cast<size_t>(save.detector)]) : config.lag(save.image);
}

}  // namespace

ChainNeeds chain_needs(const ChainConfig& config, int width) {
  ChainNeeds needs{};
  needs.input_bytes = Images::input_bytes(config);
  needs.workspace_bytes = Images::workspace_bytes(config, width);
  needs.external = Images::external_needs(config);
  // The last push leaves a batch, and what the image was behind.
  for (const SaveConfig& save : config.saves)
    needs.saved_bytes.push_back(saved_plane_bytes(config, save) * static_cast<size_t>(config.batch_planes + saved_lag(config, save)));
  for (const DetectorConfig& detector : config.detectors) {
    needs.window_bytes.push_back(Windows::bytes(config, detector.around));
    needs.sparse_bytes += Detector::sparse_bytes(config, detector, width);
  }
  return needs;
}

Chain::Chain(const ChainConfig& config, ChainMemory memory)
    : config_(config),
      memory_(std::move(memory)),
      images_(config_, memory_.inputs, memory_.external, memory_.workspace),
      tissue_(config_, images_),
      arrived_(config.read.z.start) {
  for (size_t i = 0; i < config_.detectors.size(); ++i) {
    std::byte* saved = nullptr;
    for (size_t n = 0; n < config_.saves.size(); ++n)
      if (config_.saves[n].detector == static_cast<int32_t>(i)) saved = memory_.saved[n];
    detectors_.emplace_back(config_, config_.detectors[i], images_, tissue_, memory_.windows[i], saved, stop_);
  }
}

Awaited Chain::push(int planes, bool last, bool inner_high_z, int width) {
  last_ = last;
  inner_high_z_ = inner_high_z;
  out_ = {std::vector<DetectorOutput>(detectors_.size()), {}};
  for (const SaveConfig& save : config_.saves) {
    const int32_t from = save.image < 0 ? 0 : std::max(images_.made(save.image), config_.core.z.start);
    out_.saved.push_back({from, from});
  }
  arrived_ += planes;
  images_.arrive(arrived_, last, width, stop_);
  return go_on(width);
}

Awaited Chain::resume(const double* values, int width) {
  if (turn_) detectors_[detector_].come(values);
  else images_.come(width, stop_);
  return go_on(width);
}

// Every turn makes a batch of each image at most, so that rings need hold no more.
Awaited Chain::go_on(int width) {
  while (!stopped()) {
    if (!turn_) {
      const Images::Turn turn = images_.advance(width, stop_);
      if (turn == Images::Turn::waits) return images_.wanted();
      turn_ = turn;
      detector_ = 0;
      for (size_t n = 0; n < config_.saves.size() && !stopped(); ++n) save(n);
    }
    const bool last_turn = *turn_ == Images::Turn::ended;
    for (; detector_ < detectors_.size() && !stopped(); ++detector_) {
      Detector& detector = detectors_[detector_];
      if (!detector.advance(last_ && last_turn, inner_high_z_, width, out_.detectors[detector_]))
        return WindowsOf{detector_, detector.wanted()};
    }
    turn_.reset();
    if (last_turn) break;
  }
  for (size_t i = 0; i < detectors_.size() && !stopped(); ++i) detectors_[i].settle(width, out_.detectors[i]);
  for (size_t n = 0; n < config_.saves.size(); ++n)
    if (const int32_t detector = config_.saves[n].detector; detector >= 0)
      out_.saved[n] = detectors_[static_cast<size_t>(detector)].take_saved();
  return {};
}

// Copies the planes of a saved image that are new, behind those of this push that were copied before.
void Chain::save(size_t n) {
  const SaveConfig& save = config_.saves[n];
  if (save.image < 0) return;
  const Box& core = config_.core;
  Span& saved = out_.saved[n];
  const int32_t to = std::min(images_.made(save.image), core.z.stop);
  for (; saved.stop < to; ++saved.stop)
    images_.copy(save.image, saved.stop, core.y, core.x,
                 memory_.saved[n] + saved_plane_bytes(config_, save) * static_cast<size_t>(saved.stop - saved.start));
}

}  // namespace somaflow
