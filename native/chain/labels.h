// Labels of cells: cells are numbered as they are found, in whatever order that is, and labelled by the order of their centers.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "chain/scratch.h"

namespace somaflow {

// A run of a cell's voxels, as JavaScript has it: five numbers. `cell` is a number by which somebody knows the cell.
struct CellRun {
  int32_t z, y, x, length, cell;
};

// The parts in which a label image is painted: `planes` whole planes or, where `rows` are fewer than a plane has, that many rows
// of one plane. `per_plane` parts make a plane, or `planes` of them.
struct Parts {
  int32_t z, y;  // where the image begins
  int32_t planes, rows, per_plane;

  int32_t of(const CellRun& run) const { return (run.z - z) / planes * per_plane + (run.y - y) / rows; }
};

struct SortedRuns {
  std::vector<CellRun> runs;
  std::vector<int32_t> counts;  // pairs: a part, and how many runs it has; in the order of the runs
};

// Sorts runs by the part that they lie in; cells count from `first` on.
SortedRuns sort_runs(const CellRun* runs, size_t count, int32_t first, const Parts& parts);

// A half-open box of an image, to be painted.
struct PaintBox {
  int32_t z0, z1, y0, y1, x0, x1;
};

class Labels {
 public:
  // Beyond `limit` bytes it works in files in `folder`, and throws std::runtime_error if there is no room for them.
  Labels(size_t cells, size_t limit, std::string folder);

  // Bytes of the labels, which stay, and of what only ranking takes.
  static size_t label_bytes(size_t cells);
  static size_t rank_bytes(size_t cells);

  // Takes the centers' places of the next cells: numbers that are in the order of z, y, x. Throws std::out_of_range.
  void add(const double* places, size_t count);

  // Gives each cell 1 + the rank of its center. Ends early, with nothing to be used, when `stop` is set.
  void rank(const std::atomic<bool>& stop);

  // The label of a cell. Throws std::out_of_range if there is no such cell.
  uint32_t of(double cell) const;

  // Writes the labels of the runs into the voxels of a box. Throws std::out_of_range if a run does not lie in it.
  void paint(const CellRun* runs, size_t count, const PaintBox& box, uint32_t* into) const;

 private:
  struct Center {
    uint64_t place, cell;
  };

  const size_t cells_;
  const size_t limit_;
  const std::string folder_;
  Scratch kept_, passing_;
  uint32_t* labels_ = nullptr;
  Center *centers_ = nullptr, *sorted_ = nullptr;
  size_t known_ = 0;
};

}  // namespace somaflow
