// The volume outside which nothing counts, on one block. It may be coarser than the images: a voxel asks the tissue's voxel
// that its center lies in.
#pragma once

#include <cstdint>
#include <vector>

#include "chain/config.h"
#include "chain/images.h"

namespace somaflow {

class Tissue {
 public:
  Tissue(const ChainConfig& config, const Images& images);

  bool asked() const { return asked_; }
  bool inside(int32_t z, int32_t y, int32_t x) const;
  // Clears the bits of the core's row (z, y) whose voxels are outside.
  void clear_outside(int32_t z, int32_t y, std::vector<uint64_t>& bits) const;

 private:
  template <typename T>
  void clear_where_zero(const T* row, std::vector<uint64_t>& bits) const;

  const bool asked_;
  const Dtype dtype_;
  const Box& core_;
  const Images& images_;
  std::vector<int32_t> rows_, columns_;  // of the tissue's plane, for each row and column of the core
};

}  // namespace somaflow
