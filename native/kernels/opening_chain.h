#pragma once
#include <algorithm>
#include <array>

#include "kernels/opening.h"

namespace somaflow {

/// How a disk is opened in registers, as instructions that are known when the program is compiled.
///
/// The rows of a disk are chords about its middle. As many rows as its outermost column has pixels (`height`) are
/// equal in the middle; and a chord that is pushed down by 0 to height - 1 rows stays within the disk, so the disk is what a few
/// chords cover when each is pushed so. With `result` for one pixel, going down the rows of a plane: take the minimum over the first chord; then for
/// every other chord, wait as many rows as it lies below the one before, and take the minimum over it too. At last windows of
/// `height` rows, by doubling. A disk of `size` so needs to keep size - 1 rows of unfinished results, and neither rows of the plane nor
/// of minima over their chords.
template <int size>
struct DiskChain {
  int levels = 0;        ///< chords of up to 2^levels pixels are made by doubling
  int chord_count = 0;   ///< different chords
  int chord[size] = {};  ///< their lengths, rising
  int tap_count = 0;
  int tap[size] = {};    ///< which chord comes next,
  int delay[size] = {};  ///< and how many rows below the one before
  int window_count = 0;
  int window[size] = {}; ///< by how many rows each doubling of the window reaches back

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
    for (int done = 1; done < height; done += window[window_count++]) window[window_count] = done < height - done ? done : height - done;
  }

  /// How far left of the disk's last column the longest doubled chord ends, within the chord of number `c`.
  constexpr int right(int c) const { return (size - chord[c]) / 2; }
  constexpr int level(int c) const {
    int k = 0;
    while (2 << k <= chord[c]) ++k;
    return k;
  }
  constexpr int left(int c) const { return right(c) + chord[c] - (1 << level(c)); }
  /// The greatest distance in a row between what is combined, in pixels.
  constexpr int reach() const {
    int most = levels > 0 ? 1 << (levels - 1) : 0;
    for (int c = 0; c < chord_count; ++c) most = left(c) > most ? left(c) : most;
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

/// Bytes of scratch of subtract_by_chain; `pixel_bytes` as of the plan.
size_t chain_scratch_bytes(const OpeningElement& element, size_t pixel_bytes);

/// Does what subtract_opening does, with the same arguments, if the plan's element has a chain that the target's vectors are long enough
/// for; else does nothing and returns false.
template <typename T>
bool subtract_by_chain(Target target, const OpeningPlan& plan, const T* source, ptrdiff_t source_stride, PlaneBox have, int64_t height,
                       int64_t width, PlaneBox box, T* out, ptrdiff_t out_stride, void* scratch);

}  // namespace somaflow
