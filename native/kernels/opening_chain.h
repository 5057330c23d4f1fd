#pragma once
#include <algorithm>
#include <array>

#include "kernels/opening.h"

namespace somaflow {

/// How a small disk is eroded (or dilated) in registers, by instructions that are known when the program is compiled.
///
/// The outermost column of a disk has `height` pixels, and as many of its rows, those in the middle, are whole. A chord of the upper
/// half stays within the disk when it is pushed down by up to height - 1 rows, and so does its mirror image when pushed up. So a
/// few chords, each pushed through `height` rows, cover the disk. A result goes down the rows of the plane: it takes the minimum over
/// the first chord; then, for every other one, it waits as many rows as this lies below the one before, and takes the minimum over
/// it too; last it is joined with those of the rows before it to a window of `height` rows, by doubling.
///
/// So size - 1 rows of unfinished results wait, fewer than any table of minima would need, and chords are made while a row is in
/// registers. Disk 10: chords of 4, 8, 10, 8 and 4 pixels, each 1 or 2 rows below the one before; windows of 4 rows.
template <int size>
struct DiskChain {
  int levels = 0;       ///< chords of up to 2^levels pixels are made by doubling
  int chord_count = 0;  ///< how many lengths of chords there are,
  int chord[size] = {}; ///< and these, rising
  int tap_count = 0;
  int tap[size] = {};   ///< which chord is taken next,
  int delay[size] = {}; ///< and how many rows below the one before
  int window_count = 0;
  int window[size] = {};  ///< how many rows each doubling of the window reaches back

  constexpr DiskChain() {
    int rows[size] = {};
    for (int j = 0; j < size; ++j) {
      for (int i = 0; i < size; ++i) rows[j] += position(j) * position(j) + position(i) * position(i) < 1;
    }
    int top = 0;
    while (rows[top] < size) ++top;
    const int height = size - 2 * top;
    while (2 << levels <= size) ++levels;

    int last = 0;
    for (int y = 0; y <= top; ++y) {
      if (y == 0 || rows[y] > rows[y - 1]) chord[chord_count++] = rows[y];
      else if (y - last < height) continue;
      tap[tap_count] = chord_count - 1;
      delay[tap_count++] = y - last;
      last = y;
    }
    // The lower half is the upper one upside down.
    for (int t = tap_count - 1; t > 0; --t) {
      tap[tap_count + (tap_count - 1 - t)] = tap[t - 1];
      delay[tap_count + (tap_count - 1 - t)] = delay[t];
    }
    tap_count = 2 * tap_count - 1;
    for (int done = 1; done < height; done += window[window_count++]) window[window_count] = std::min(done, height - done);
  }

  /// Chord `c` is the union of two chords of 2^level(c) pixels, which end so many columns before the disk's last one.
  constexpr int level(int c) const {
    int k = 0;
    while (2 << k <= chord[c]) ++k;
    return k;
  }
  constexpr int right(int c) const { return (size - chord[c]) / 2; }
  constexpr int left(int c) const { return right(c) + chord[c] - (1 << level(c)); }
  /// How many columns to the left is looked at most; no further than the vector before.
  constexpr int reach() const {
    int most = levels > 0 ? 1 << (levels - 1) : 0;
    for (int c = 0; c < chord_count; ++c) most = std::max(most, left(c));
    return most;
  }

 private:
  static constexpr double position(int i) { return (i - size / 2 + (size % 2 == 0 ? 0.5 : 0.0)) / (size - size / 2); }
};

/// Sizes of the disks that have a chain: each is code of its own for every target and type, and the larger, the less it gains.
constexpr std::array kChainSizes = {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 30};

/// Bytes of a row of the result that are opened at once.
constexpr int kChainStripBytes = 4096;

inline bool has_chain(const OpeningElement& element) {
  return element.disk && element.size_y == element.size_x && std::ranges::binary_search(kChainSizes, element.size_x);
}

/// Whether pixels of a size are opened by a chain whatever the target.
bool always_by_chain(const OpeningElement& element, size_t pixel_bytes);

/// Bytes of scratch that subtract_by_chain needs for pixels of a size.
size_t chain_scratch_bytes(const OpeningElement& element, size_t pixel_bytes);

/// Does what subtract_opening does, with the same arguments, if the plan's element has a chain and the target's vectors are long enough
/// for it; else does nothing and returns false.
template <typename T>
bool subtract_by_chain(Target target, const OpeningPlan& plan, const T* source, ptrdiff_t source_stride, PlaneBox have, int64_t height,
                       int64_t width, PlaneBox box, T* out, ptrdiff_t out_stride, void* scratch);

}  // namespace somaflow
