// Divides one component of the mask among its seeds, and measures the cells.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "chain/cell_voxels.h"
#include "chain/channels.h"
#include "chain/level_queue.h"
#include "chain/scratch.h"
#include "chain/sparse.h"

namespace somaflow {

// Where a component's parts lie. Runs in any order, values in the order of the runs, seeds in any order.
struct ComponentView {
  const Run* runs;
  size_t run_count;
  const uint8_t* values;
  Seed* seeds;  // sorted in place
  size_t seed_count;
  const double* seed_values;  // the numbers that the seeds bring
};

// What floods leave: cells as rows of `rules.row_width()` numbers, each component's in z, y, x order; and, where asked, their voxels.
struct FloodOutput {
  std::vector<double> rows;
  CellVoxels voxels;
};

// Divides components into cells.
//
// Seeded watershed of the negated image inside the component (Meyer 1991), 6-connected: greatest value first, among equals
// in the order of queueing; a voxel takes its label when it is first reached. Seeds are queued in z, y, x order.
class Flood {
 public:
  // Appends the cells of a component of this volume to what earlier ones left. Beyond `limit` bytes of scratch it works in a file in `folder`, and throws std::runtime_error if there is no room for
  // it. Ends early, with rows to be thrown away, when `stop` is set.
  void divide(const ComponentView& component, const FloodRules& rules, const VolumeExtent& volume, FloodOutput& out,
              const std::atomic<bool>& stop, size_t limit = SIZE_MAX, const std::string& folder = {});

  // One for each thread, whose scratch serves chain after chain.
  static Flood& of_this_thread();

  // Bytes of scratch for a component of that many voxels, runs and seeds.
  static size_t scratch_bytes(size_t voxels, size_t runs, size_t seeds, const FloodRules& rules);

 private:
  LevelQueue kept_queue(size_t levels);

  Scratch scratch_;
  // The queue of integer values, whose levels are too many to be cleared for each component. Empty between floods.
  Scratch kept_memory_;
  LevelQueue kept_;
  size_t kept_levels_ = 0;
};

}  // namespace somaflow
