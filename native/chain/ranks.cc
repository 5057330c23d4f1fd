#include "chain/ranks.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace somaflow {

namespace {

constexpr int kDigitBits = 8, kDigits = 32 / kDigitBits;
constexpr size_t kDigitValues = size_t{1} << kDigitBits;
constexpr size_t kStopEvery = size_t{1} << 16;

// A number that sorts as the value does; -0 is 0.
uint32_t sortable(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value + 0.0f);
  return bits >> 31 ? ~bits : bits | uint32_t{1} << 31;
}

size_t digit_of(uint64_t pair, int digit) { return pair >> (32 + kDigitBits * digit) & (kDigitValues - 1); }

}  // namespace

// A radix sort of (value, voxel): unlike a sort by comparisons it can end in the middle, and reads memory in order.
size_t rank_values(const Piece* pieces, size_t piece_count, const uint8_t* values, size_t voxels, uint32_t* ranks,
                   uint64_t* pairs, const std::atomic<bool>& stop) {
  uint32_t counts[kDigits][kDigitValues] = {};
  uint64_t *from = pairs, *to = pairs + voxels;
  for (size_t i = 0; i < piece_count; ++i) {
    if (stop.load(std::memory_order_relaxed)) return 0;
    const Piece& piece = pieces[i];
    for (uint32_t x = 0; x < static_cast<uint32_t>(piece.run.length); ++x) {
      float value;
      __builtin_memcpy(&value, values + piece.values + x * sizeof(float), sizeof(float));
      const uint64_t pair = uint64_t{sortable(value)} << 32 | (piece.first + x);
      from[piece.first + x] = pair;
      for (int digit = 0; digit < kDigits; ++digit) ++counts[digit][digit_of(pair, digit)];
    }
  }
  for (int digit = 0; digit < kDigits; ++digit) {
    uint32_t* const place = counts[digit];
    if (place[digit_of(from[0], digit)] == voxels) continue;  // all have the same: a sort would move nothing
    for (size_t value = 0, next = 0; value < kDigitValues; ++value) next += std::exchange(place[value], static_cast<uint32_t>(next));
    for (size_t begin = 0; begin < voxels; begin += kStopEvery) {
      if (stop.load(std::memory_order_relaxed)) return 0;
      const size_t end = std::min(begin + kStopEvery, voxels);
      for (size_t i = begin; i < end; ++i) to[place[digit_of(from[i], digit)]++] = from[i];
    }
    std::swap(from, to);
  }
  uint32_t rank = 0;
  for (size_t i = 0; i < voxels; ++i) {
    if (i % kStopEvery == 0 && stop.load(std::memory_order_relaxed)) return 0;
    if (i > 0 && from[i] >> 32 != from[i - 1] >> 32) ++rank;
    ranks[static_cast<uint32_t>(from[i])] = rank;
  }
  return size_t{rank} + 1;
}

}  // namespace somaflow
