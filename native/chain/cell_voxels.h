// The voxels of cells, as runs of rows, each cell's together and in z, y, x order, with the values of channels asked for.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include "chain/channels.h"
#include "chain/pieces.h"
#include "chain/scratch.h"

namespace somaflow {

// Voxels x .. x + length - 1 of row (z, y), all of the cell in this row of a table.
struct CellRun {
  int32_t z, y, x, length, row;
};
constexpr size_t kCellRunNumbers = sizeof(CellRun) / sizeof(int32_t);

// Runs as they leave, sorted by row of the table, then z, y, x; and for each channel asked for the values of their voxels, packed.
struct GivenVoxels {
  std::vector<int32_t> runs;  // kCellRunNumbers each
  std::vector<std::vector<uint8_t>> values;
};

// Grows component by component. Movable, which leaves parts where they are.
class CellVoxels {
 public:
  CellVoxels() : CellVoxels(size_t{1} << 18, SIZE_MAX, {}) {}
  // Takes memory `chunk_bytes` at a time, or more where a component needs it, and beyond `memory_bytes` a file in `folder`.
  CellVoxels(size_t chunk_bytes, size_t memory_bytes, std::string folder)
      : chunk_bytes_(chunk_bytes), memory_bytes_(memory_bytes), folder_(std::move(folder)) {}

  // The cells of one component: runs by row of the table; the values of all voxels of one channel, then of the next.
  struct Part {
    CellRun* runs;
    uint8_t* values;
    size_t run_count, voxels;
  };
  // Room for a component's cells. Throws std::runtime_error if there is none for its file.
  Part add(size_t runs, size_t voxels, const FloodRules& rules);

  // Takes over the parts of another, whose rows come behind `rows` ones.
  void absorb(CellVoxels&& other, int32_t rows);

  size_t run_count() const { return run_count_; }

  // All of it, where row `order[i]` of the table becomes row i.
  GivenVoxels sorted(const FloodRules& rules, const std::vector<size_t>& order) const;

  // A copy of runs [from, from + count), which are found at once where the last copy ended.
  GivenVoxels copy(const FloodRules& rules, size_t from, size_t count);

  // Bytes that the voxels of cells seldom exceed, so many voxels and runs of components given.
  static size_t usual_bytes(size_t voxels, size_t runs, const FloodRules& rules);

 private:
  std::byte* room(size_t bytes);

  size_t chunk_bytes_, memory_bytes_;
  std::string folder_;
  std::list<Scratch> chunks_;
  std::byte* free_ = nullptr;  // in the last chunk
  size_t free_bytes_ = 0;
  std::vector<Part> parts_;
  size_t run_count_ = 0;
  // The place behind the last copy: which run of all, of which part, and which voxel of that.
  struct Place {
    size_t at = 0, part = 0, run = 0, voxel = 0;
  };
  Place place_;
};

// Gives the voxels of the cells of a component, which have rows from `first_row` on, begun with their sizes. Pieces are in order;
// labels are 1 + the cell, null where all voxels are of one. `cursors` has room for two numbers a cell. Ends early, with a part to
// be thrown away, when `stop` is set.
void give_voxels(const Piece* pieces, size_t count, const uint8_t* values, const uint32_t* labels, const FloodRules& rules,
                 const std::vector<double>& rows, size_t first_row, uint64_t* cursors, CellVoxels& voxels,
                 const std::atomic<bool>& stop);

}  // namespace somaflow
