// Divides one component of the mask among its seeds, and measures the cells.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "chain/scratch.h"
#include "chain/sparse.h"

namespace somaflow {

// Where a component's parts lie; runs in any order, each with the place of its first value. Seeds in any order.
struct ComponentView {
  const Run* runs;
  const size_t* value_at;  // for each run; null: the values follow each other in the order of the runs
  size_t run_count;
  const uint16_t* values;
  Seed* seeds;  // sorted in place
  size_t seed_count;
};

// Appends rows of `4 + channels` numbers (x, y, z, size, then the greatest value of each channel) to `rows`.
//
// Seeded watershed of the negated image inside the component (Meyer 1991), 6-connected: greatest value first, among equals in the order
// of queueing; a voxel takes its label when it is first reached. Of seeds on one plateau of equal value the first stays.
class Flood {
 public:
  // Beyond `limit` bytes of scratch it works in a file in `folder`. Ends early, with rows to be thrown away, when `stop` is set.
  void divide(const ComponentView& component, size_t channels, std::vector<double>& rows, const std::atomic<bool>& stop,
              size_t limit = SIZE_MAX, const std::string& folder = {});

  // One for each thread, whose scratch serves chain after chain.
  static Flood& of_this_thread();

  // Bytes of scratch for a component of that many voxels and runs.
  static size_t scratch_bytes(size_t voxels, size_t runs, size_t seeds);

 private:
  struct Piece {
    int32_t z, y, x, length;
    uint32_t first;  // index of its first voxel
    uint32_t run;
  };
  void measure_whole(const ComponentView& component, std::vector<double>& rows) const;
  void lay_out(const ComponentView& component, size_t voxels);
  void link();
  void link_rows(size_t begin, size_t end, size_t other_begin, size_t other_end, int side);
  size_t find_voxel(const Seed& seed) const;
  size_t merge_plateaus(ComponentView& component);
  void spread(size_t seed_count, const std::atomic<bool>& stop);
  void measure(const ComponentView& component, size_t seed_count, std::vector<double>& rows) const;

  void push(uint32_t voxel);
  uint32_t pop();

  size_t channels_ = 1;
  Scratch scratch_;
  size_t voxels_ = 0, piece_count_ = 0;
  Piece* pieces_ = nullptr;     // runs in z, y, x order
  uint16_t* image_ = nullptr;   // per voxel, in z, y, x order
  uint8_t* flags_ = nullptr;
  uint32_t* label_ = nullptr;   // 0: not reached; else 1 + the seed
  uint32_t* next_ = nullptr;    // in the queue of its value
  uint32_t* links_ = nullptr;   // neighbours at z-1, y-1, y+1, z+1, each as 1 + the voxel, or 0
  uint32_t* seed_voxel_ = nullptr;

  // One queue a value, first in first out, and a bitmap of those that are not empty: value, then age. All empty between floods.
  std::vector<uint32_t> head_, tail_;
  std::vector<uint64_t> word_, summary_;
};

}  // namespace somaflow
