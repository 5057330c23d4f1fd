// Which voxels of a component touch by a face; the voxels are numbered in z, y, x order.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "chain/pieces.h"

namespace somaflow {

class Neighbours {
 public:
  // Four links and a byte of flags a voxel, in memory of the caller; `pieces` are in order.
  Neighbours(const Piece* pieces, size_t piece_count, uint32_t* links, uint8_t* flags)
      : pieces_(pieces), piece_count_(piece_count), links_(links), flags_(flags) {}

  // Finds all neighbours; ends early, with some missing, when `stop` is set.
  void link(size_t voxels, const std::atomic<bool>& stop);

  // Calls visit(near) for the neighbours of a voxel in the order z-1, y-1, x-1, x+1, y+1, z+1.
  template <typename Visit>
  void visit_all(uint32_t voxel, const Visit& visit) const {
    const uint32_t* links = links_ + 4 * size_t{voxel};
    const uint8_t flags = flags_[voxel];
    if (links[kBehind]) visit(links[kBehind] - 1);
    if (links[kAbove]) visit(links[kAbove] - 1);
    if (!(flags & kRowStart)) visit(voxel - 1);
    if (!(flags & kRowEnd)) visit(voxel + 1);
    if (links[kBelow]) visit(links[kBelow] - 1);
    if (links[kBeyond]) visit(links[kBeyond] - 1);
  }

  // Marks a voxel, and says whether it was not marked before.
  bool mark(uint32_t voxel) {
    if (flags_[voxel] & kMarked) return false;
    flags_[voxel] |= kMarked;
    return true;
  }
  bool marked(uint32_t voxel) const { return (flags_[voxel] & kMarked) != 0; }

  // The voxel at a position, which is one of the component.
  uint32_t at(const Seed& position) const;

 private:
  static constexpr int kBehind = 0, kAbove = 1, kBelow = 2, kBeyond = 3;  // z-1, y-1, y+1, z+1 among a voxel's links
  static constexpr uint8_t kRowStart = 1, kRowEnd = 2, kMarked = 4;       // whether x-1, x+1 are not in the component

  void link_along_x();
  void link_rows(size_t begin, size_t end, size_t other_begin, size_t other_end, int side);

  const Piece* pieces_;
  size_t piece_count_;
  uint32_t* links_;  // each as 1 + the voxel, or 0
  uint8_t* flags_;
};

}  // namespace somaflow
