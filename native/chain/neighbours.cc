#include "chain/neighbours.h"

#include <algorithm>
#include <cstring>

namespace somaflow {

namespace {

// In slices, so that a stop is noticed in between.
void clear(void* memory, size_t bytes, const std::atomic<bool>& stop) {
  constexpr size_t kSlice = size_t{1} << 24;
  std::byte* const begin = static_cast<std::byte*>(memory);
  for (size_t at = 0; at < bytes && !stop.load(std::memory_order_relaxed); at += kSlice)
    std::memset(begin + at, 0, std::min(kSlice, bytes - at));
}

bool same_row(const Run& a, const Run& b) { return a.z == b.z && a.y == b.y; }

}  // namespace

// Walks the rows in order, with the row above and the row behind beside them.
void Neighbours::link(size_t voxels, const std::atomic<bool>& stop) {
  clear(flags_, voxels, stop);
  clear(links_, voxels * 4 * sizeof(uint32_t), stop);
  if (stop.load(std::memory_order_relaxed)) return;
  link_along_x();
  size_t behind = 0, above_begin = 0, above_end = 0;
  for (size_t begin = 0; begin < piece_count_ && !stop.load(std::memory_order_relaxed);) {
    const Run& row = pieces_[begin].run;
    size_t end = begin + 1;
    while (end < piece_count_ && same_row(pieces_[end].run, row)) ++end;
    if (above_begin < above_end && same_row(pieces_[above_begin].run, {row.z, row.y - 1, 0, 0}))
      link_rows(begin, end, above_begin, above_end, kAbove);
    const Run back{row.z - 1, row.y, 0, 0};
    while (pieces_[behind].run.z < back.z || (pieces_[behind].run.z == back.z && pieces_[behind].run.y < back.y)) ++behind;
    size_t behind_end = behind;
    while (same_row(pieces_[behind_end].run, back)) ++behind_end;
    if (behind_end > behind) link_rows(begin, end, behind, behind_end, kBehind);
    above_begin = begin;
    above_end = end;
    begin = end;
  }
}

// Runs that a core's face had cut are neighbours now.
void Neighbours::link_along_x() {
  for (size_t i = 0; i < piece_count_; ++i) {
    const auto& [run, first, values] = pieces_[i];
    const bool joins = i > 0 && same_row(pieces_[i - 1].run, run) && pieces_[i - 1].run.x + pieces_[i - 1].run.length == run.x;
    if (joins) flags_[first - 1] &= static_cast<uint8_t>(~kRowEnd);
    else flags_[first] |= kRowStart;
    flags_[first + static_cast<uint32_t>(run.length) - 1] |= kRowEnd;
  }
}

void Neighbours::link_rows(size_t begin, size_t end, size_t other_begin, size_t other_end, int side) {
  const int back = kBeyond - side;
  for (size_t i = begin, other = other_begin; i < end; ++i) {
    const Run& run = pieces_[i].run;
    const int32_t stop = run.x + run.length;
    while (other < other_end && pieces_[other].run.x + pieces_[other].run.length <= run.x) ++other;
    for (size_t at = other; at < other_end && pieces_[at].run.x < stop; ++at) {
      const Run& near = pieces_[at].run;
      const int32_t from = std::max(run.x, near.x), to = std::min(stop, near.x + near.length);
      uint32_t here = pieces_[i].first + static_cast<uint32_t>(from - run.x);
      uint32_t there = pieces_[at].first + static_cast<uint32_t>(from - near.x);
      for (int32_t x = from; x < to; ++x, ++here, ++there) {
        links_[4 * size_t{here} + static_cast<size_t>(side)] = there + 1;
        links_[4 * size_t{there} + static_cast<size_t>(back)] = here + 1;
      }
    }
  }
}

uint32_t Neighbours::at(const Seed& position) const {
  const Piece* piece = std::upper_bound(pieces_, pieces_ + piece_count_, position, [](const Seed& p, const Piece& piece) {
    return before(Run{p.z, p.y, p.x, 0}, piece.run);
  });
  --piece;
  return piece->first + static_cast<uint32_t>(position.x - piece->run.x);
}

}  // namespace somaflow
