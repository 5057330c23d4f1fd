#include "chain/pieces.h"

#include <algorithm>

namespace somaflow {

void order_runs(const Run* runs, size_t count, size_t voxel_bytes, Piece* pieces) {
  uint64_t values = 0;
  for (size_t i = 0; i < count; ++i) {
    pieces[i] = {runs[i], 0, values};
    values += static_cast<uint64_t>(runs[i].length) * voxel_bytes;
  }
  const auto in_order = [](const Piece& a, const Piece& b) { return before(a.run, b.run); };
  // Runs of a component that was never joined are in order as they came.
  if (!std::is_sorted(pieces, pieces + count, in_order)) std::sort(pieces, pieces + count, in_order);
  uint32_t first = 0;
  for (size_t i = 0; i < count; ++i) {
    pieces[i].first = first;
    first += static_cast<uint32_t>(pieces[i].run.length);
  }
}

}  // namespace somaflow
