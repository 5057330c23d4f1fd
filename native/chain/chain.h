// The chain of one block: planes go in, sparse results come out; no step result ever exists whole.
//
// Rings of inputs -> rings of images -> detectors, each with its own peaks, mask runs, components and floods.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "chain/config.h"
#include "chain/detector.h"
#include "chain/images.h"
#include "chain/tissue.h"

namespace somaflow {

// Bytes that a chain takes: for the ring of each input, for those of images that are made outside, for those of its other images, for
// the planes that it copies out, for the windows of each detector, and at most for what it holds of components and floods.
struct ChainNeeds {
  std::vector<size_t> input_bytes, saved_bytes, window_bytes;
  std::vector<ExternalNeeds> external;
  size_t workspace_bytes, sparse_bytes;
};

// Where that memory lies. Of each image that is made outside, first the ring of the result.
struct ChainMemory {
  std::vector<std::byte*> inputs, external, saved, windows;
  std::byte* workspace;
};
ChainNeeds chain_needs(const ChainConfig& config, int width);

// What a push leaves: the output of each detector; and of all that is saved the planes that now lie in `saved`.
struct ChainOutput {
  std::vector<DetectorOutput> detectors;
  std::vector<Span> saved;
};

// What a push waits for: planes that are made outside, or the values of a detector's windows.
struct WindowsOf {
  size_t detector;
  WindowsWanted windows;
};
using Awaited = std::variant<std::monostate, PlanesWanted, WindowsOf>;

class Chain {
 public:
  Chain(const ChainConfig& config, ChainMemory memory);

  // Takes the next `planes` planes, up to batch_planes, on up to `width` threads. With `last` no more come: the planes seen are
  // all that the core and its halo have; `inner_high_z` tells whether another core lies behind. Returns what it waits for, nothing
  // once it is done. Throws std::runtime_error as Images::arrive does.
  Awaited push(int planes, bool last, bool inner_high_z, int width);

  // Goes on with a push whose wanted planes lie in their ring, or with the values of the wanted windows.
  Awaited resume(const double* values, int width);

  // What a push has left that is done.
  ChainOutput take_output() { return std::exchange(out_, {}); }

  // Makes the push under way, and all later ones, return early.
  void stop() { stop_.store(true, std::memory_order_relaxed); }
  bool stopped() const { return stop_.load(std::memory_order_relaxed); }

 private:
  Awaited go_on(int width);
  void save(size_t n);

  const ChainConfig config_;
  const ChainMemory memory_;
  std::atomic<bool> stop_{false};
  Images images_;
  const Tissue tissue_;
  std::deque<Detector> detectors_;  // they are not movable
  int32_t arrived_;                 // the first plane that is not there yet
  // The push under way.
  bool last_ = false, inner_high_z_ = false;
  std::optional<Images::Turn> turn_;  // how its turn ended, while detectors look at what it made
  size_t detector_ = 0;               // the one whose turn it is
  ChainOutput out_;
};

}  // namespace somaflow
