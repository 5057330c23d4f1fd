// The cover of the element by table rectangles.

#include <algorithm>
#include <cstddef>
#include <vector>

#include "kernels/opening.h"
#include "kernels/opening_chain.h"

namespace somaflow {

namespace {

int floor_log2(int value) {
  int log = 0;
  while (value >> (log + 1)) ++log;
  return log;
}

/// The heights of the element's columns. Each column is centered, because the element is symmetric.
std::vector<int> chords(const OpeningElement& element) {
  const int size_y = element.size_y, size_x = element.size_x;
  if (!element.disk) return std::vector<int>(size_x, size_y);
  // In float64 as in the reference, which at a few sizes (81 is the least) keeps a pixel that lies exactly on the rim.
  const auto position = [](int i, int size) {
    const int low = size / 2;
    return (i - low + (size % 2 == 0 ? 0.5 : 0.0)) / (size - low);
  };
  std::vector<int> heights(size_x, 0);
  for (int i = 0; i < size_x; ++i) {
    const double x = position(i, size_x);
    for (int j = 0; j < size_y; ++j) {
      const double y = position(j, size_y);
      heights[i] += x * x + y * y < 1;
    }
  }
  return heights;
}

}  // namespace

// Columns of equal height form groups, one on either side of the element; the middle group, and with it the whole of a
// rectangular element, is one piece. A group is covered by rectangles of its height that are flush with its outer columns;
// they may reach inward, over the taller columns, where they add nothing new.
OpeningPlan::OpeningPlan(const OpeningElement& element, size_t pixel_bytes) : element_(element), pixel_bytes_(pixel_bytes) {
  const int size_x = element.size_x;
  const std::vector<int> heights = chords(element);
  std::vector<Group> groups;
  const int middle = (size_x + 1) / 2;
  for (int left = 0; left < middle;) {
    int next = left;
    while (next < middle && heights[next] == heights[left]) ++next;
    const int whole = size_x - 2 * left;
    if (heights[left] > 0) groups.push_back({heights[left], left, next == middle ? whole : next - left, whole});
    left = next;
  }
  levels_ = floor_log2(groups.back().height);
  for (int k = 0; k <= levels_; ++k) tables_.push_back({k, 0, 0, 0});

  // Groups of one level share the widest table that one of them needs: rings fill the cache faster than taps cost time.
  for (size_t first = 0, next = 0; first < groups.size(); first = next) {
    const int level = floor_log2(groups[first].height);
    int wide = 1;
    for (; next < groups.size() && floor_log2(groups[next].height) == level; ++next) {
      while (wide < groups[next].columns && 2 * wide < groups[next].whole) wide *= 2;
    }
    for (size_t i = first; i < next; ++i) add_taps(groups[i], level, wide);
  }
  lay_out();
}

/// Adds the taps of a group and of its mirror image, from rectangles of at most `wide` columns.
void OpeningPlan::add_taps(const Group& group, int level, int wide) {
  int source = level, columns = 1;
  for (; columns < wide && 2 * columns <= group.whole; columns *= 2) source = widened(source);
  const int top = (element_.size_y - group.height) / 2;
  const int rows[2] = {top + (1 << level) - 1, top + group.height - 1};
  const int lefts[2] = {group.left, group.left + group.whole - columns};
  for (int i = 0; i < (rows[0] == rows[1] ? 1 : 2); ++i) {
    for (int j = 0; j < (lefts[0] == lefts[1] ? 1 : 2); ++j) taps_.push_back({source, rows[i], lefts[j]});
  }
}

/// The index of the table that doubles the columns of `from`; makes it if it is new.
int OpeningPlan::widened(int from) {
  for (size_t i = levels_ + 1; i < tables_.size(); ++i) {
    if (tables_[i].from == from) return static_cast<int>(i);
  }
  tables_.push_back({from, tables_[from].widening + 1, 0, 0});
  return static_cast<int>(tables_.size()) - 1;
}

/// Gives every table the rows that its readers look back, and the strip the width that keeps the rings in cache.
void OpeningPlan::lay_out() {
  for (Table& table : tables_) table.rows = 1;
  // Doubling level k reads the row 2^k before the newest.
  for (int k = 0; k < levels_; ++k) tables_[k].rows = (1 << k) + 1;
  // A batch is covered when the row that its last result needs has come.
  for (const Tap& tap : taps_) tables_[tap.table].rows = std::max(tables_[tap.table].rows, batch + element_.size_y - 1 - tap.row);
  // The dilation's newest rows are written a batch at a time, before the rings are fed with them.
  tables_[0].rows = std::max(tables_[0].rows, batch + (levels_ > 0 ? 1 : 0));
  size_t rows = 0;
  for (const Table& table : tables_) rows += table.rows;

  // Wide strips read each neighborhood less often and in longer runs, narrow ones keep the rings in L2.
  const int line = static_cast<int>(64 / pixel_bytes_);
  for (strip_ = 64 * line;; strip_ /= 2) {
    // Kernels write whole vectors, so a row has room for one more. An odd number of cache lines keeps the rows of a
    // column out of the same few L1 sets.
    stride_ = (((strip_ + 2 * (element_.size_x - 1)) / line + 3) | 1) * line;
    pixels_ = rows * stride_;
    if (strip_ <= 32 * line || scratch_bytes() <= 768 * 1024) break;
  }
  size_t offset = 0;
  for (Table& table : tables_) {
    table.offset = offset;
    offset += table.rows * stride_;
  }
}

size_t OpeningPlan::scratch_bytes() const {
  if (always_by_chain(element_, pixel_bytes_)) return chain_scratch_bytes(element_, pixel_bytes_);
  const size_t stage = pixels_ * pixel_bytes_ + tables_.size() * sizeof(int) + taps_.size() * (batch * sizeof(void*) + sizeof(int)) + 4 * 64;
  const size_t rings = (2 * stage + batch * stride_ * pixel_bytes_ + 63) / 64 * 64;
  return has_chain(element_) ? std::max(rings, chain_scratch_bytes(element_, pixel_bytes_)) : rings;
}

}  // namespace somaflow
