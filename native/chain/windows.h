// The voxels around maxima on their way out, to be measured there, and the values that come back.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "chain/config.h"
#include "chain/images.h"
#include "chain/sparse.h"

namespace somaflow {

// Windows of one kind that lie ready: `count` boxes of voxels one after another, in z, y, x order, 0 where the volume has none; it has
// no planes from `end` on, as far as that is known.
struct WindowsWanted {
  size_t kind = 0;  // which of the detector's
  size_t count = 0;
  const Seed* centers = nullptr;
  int32_t end = 0;
};

class Windows {
 public:
  // `memory` has `bytes`: room for at least one window.
  Windows(const std::vector<AroundConfig>& kinds, const ChainConfig& config, const Images& images, std::byte* memory);

  static size_t bytes(const ChainConfig& config, const std::vector<AroundConfig>& kinds);

  // Begins with these maxima, whose windows are there.
  void begin(const std::vector<Seed>& seeds);
  // Copies the next windows out; false if all maxima have all their values.
  bool next(int width, const std::atomic<bool>& stop);
  const WindowsWanted& wanted() const { return wanted_; }
  // Takes their values.
  void come(const double* values);

  // The values of each maximum, one a kind.
  const std::vector<double>& values() const { return values_; }

 private:
  void copy(const Seed& seed, const AroundConfig& around, std::byte* into) const;

  const std::vector<AroundConfig>& kinds_;
  const ChainConfig& config_;
  const Images& images_;
  std::byte* const memory_;
  const size_t bytes_;
  const std::vector<Seed>* seeds_ = nullptr;
  size_t kind_ = 0, first_ = 0;  // the first window that has no value yet
  std::vector<double> values_;
  WindowsWanted wanted_;
};

}  // namespace somaflow
