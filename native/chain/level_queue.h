// The queue of a watershed: the greatest level first, among equals first in, first out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "chain/scratch.h"

namespace somaflow {

// One list of voxels a level, and a bitmap of the lists that are not empty; above it one of the bitmap's words that are not
// 0, and so on up to a single word, so that the greatest level is found in as many steps as there are tiers, 5 for 10^8
// levels. A view of memory that its maker gives: copies are the same queue.
class LevelQueue {
 public:
  static size_t bytes(size_t levels) {
    Cutter counting;
    LevelQueue().cut(counting, levels);
    return counting.taken();
  }

  LevelQueue() = default;
  // An empty queue of levels below `levels`, in `memory` of bytes(levels) bytes aligned to 64.
  LevelQueue(std::byte* memory, size_t levels) {
    Cutter cutter(memory);
    cut(cutter, levels);
    clear();
  }

  // Where each voxel names the next of its list; the caller's, one number a voxel, its contents undefined.
  void link_by(uint32_t* next) { next_ = next; }

  bool empty() const { return tier_[tiers_ - 1][0] == 0; }

  void push(uint32_t voxel, size_t level) {
    List& list = lists_[level];
    if (tier_[0][level / 64] >> level % 64 & 1) {
      next_[list.last] = voxel;
    } else {
      list.first = voxel;
      raise(level);
    }
    list.last = voxel;
  }

  // Takes out the oldest voxel of the greatest level. The queue must not be empty.
  uint32_t pop() {
    size_t level = 0;
    for (int tier = tiers_; tier-- > 0;)
      level = level * 64 + 63 - static_cast<size_t>(__builtin_clzll(tier_[tier][level]));
    List& list = lists_[level];
    const uint32_t voxel = list.first;
    if (voxel == list.last) lower(level);
    else list.first = next_[voxel];
    return voxel;
  }

  // Forgets what is left in it.
  void clear() { std::memset(tier_[0], 0, bitmap_bytes_); }

 private:
  static constexpr int kMostTiers = 6;  // for 2^32 levels
  // Means something only where the level's bit is set.
  struct List {
    uint32_t first, last;
  };

  void cut(Cutter& cutter, size_t levels) {
    lists_ = cutter.cut<List>(levels);
    const size_t begin = cutter.taken();
    for (size_t bits = levels; tiers_ == 0 || bits > 1;) {
      bits = (bits + 63) / 64;
      tier_[tiers_++] = cutter.cut<uint64_t>(bits);
    }
    bitmap_bytes_ = cutter.taken() - begin;
  }

  void raise(size_t level) {
    for (int tier = 0; tier < tiers_; ++tier, level /= 64) {
      uint64_t& word = tier_[tier][level / 64];
      const bool had_others = word != 0;
      word |= uint64_t{1} << level % 64;
      if (had_others) return;
    }
  }

  void lower(size_t level) {
    for (int tier = 0; tier < tiers_; ++tier, level /= 64) {
      uint64_t& word = tier_[tier][level / 64];
      word &= ~(uint64_t{1} << level % 64);
      if (word != 0) return;
    }
  }

  List* lists_ = nullptr;
  uint32_t* next_ = nullptr;
  uint64_t* tier_[kMostTiers] = {};
  size_t bitmap_bytes_ = 0;
  int tiers_ = 0;
};

}  // namespace somaflow
