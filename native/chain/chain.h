// The chain of one block: planes go in, sparse results come out; no step result ever exists whole.
//
// Rings of inputs -> rings of images -> detectors, each with its own peaks, mask runs, components and floods.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "chain/config.h"
#include "chain/detector.h"
#include "chain/images.h"
#include "chain/tissue.h"

namespace somaflow {

// Bytes that a chain takes: for the ring of each input, for those of its other images, for the planes that it copies out, and at
// most for what it holds of components and floods.
struct ChainNeeds {
  std::vector<size_t> input_bytes, saved_bytes;
  size_t workspace_bytes, sparse_bytes;
};
ChainNeeds chain_needs(const ChainConfig& config, int width);

// What a push leaves: the output of each detector; and of each saved image the planes that now lie in `saved`.
struct ChainOutput {
  std::vector<DetectorOutput> detectors;
  std::vector<Span> saved;
};

class Chain {
 public:
  // `inputs` and `workspace` are those of Images. `saved` has saved_bytes for each image that is saved.
  Chain(const ChainConfig& config, std::vector<std::byte*> inputs, std::byte* workspace, std::vector<std::byte*> saved);

  // Takes the next `planes` planes, up to batch_planes, on up to `width` threads. With `last` no more come: the planes seen are
  // all that the core and its halo have; `inner_high_z` tells whether another core lies behind. Throws std::runtime_error as
  // Images::arrive does.
  ChainOutput push(int planes, bool last, bool inner_high_z, int width);

  // Makes the push under way, and all later ones, return early.
  void stop() { stop_.store(true, std::memory_order_relaxed); }
  bool stopped() const { return stop_.load(std::memory_order_relaxed); }

 private:
  void save(size_t n, Span& saved);

  const ChainConfig config_;
  const std::vector<std::byte*> saved_;
  std::atomic<bool> stop_{false};
  Images images_;
  const Tissue tissue_;
  std::deque<Detector> detectors_;  // they are not movable
  int32_t arrived_;                 // the first plane that is not there yet
};

}  // namespace somaflow
