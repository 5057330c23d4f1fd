#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

namespace somaflow {

/// How voxels are counted: by a number that grows with the value, their bin. In `lanes` tables at a time.
template <typename T>
struct Bins {
  static constexpr bool exact = true;  ///< a bin is a value
  static constexpr int count = 1 << (8 * sizeof(T)), lanes = 4;
  /// Windows of so few voxels are put in order: a walk through the counts would take longer.
  static constexpr int64_t few = sizeof(T) == 1 ? 16 : 128;
  uint32_t of(T value) const { return value; }
  T value(uint32_t bin) const { return static_cast<T>(bin); }
};

/// Floats have a key that grows with the value, whose upper bits are the bin. All keys of a row of windows are between two, so that
/// where values are alike the bins are narrow, and few voxels share one.
template <>
struct Bins<float> {
  static constexpr bool exact = false;
  static constexpr int count = 1 << 16, lanes = 1;
  static constexpr int64_t few = 1024;
  uint32_t least = 0;
  int shift = 0;  ///< bits of the key that the bin leaves out

  /// Negative floats grow as their bits fall, and come before the others.
  static uint32_t key(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits ^ (static_cast<uint32_t>(-static_cast<int32_t>(bits >> 31)) | 0x80000000u);
  }
  void span(uint32_t least_key, uint32_t most_key) {
    least = least_key;
    shift = std::max(0, static_cast<int>(std::bit_width(most_key - least_key)) - 16);
  }
  uint32_t of(float value) const { return (key(value) - least) >> shift; }
  uint32_t rest(float value) const { return (key(value) - least) & ((1u << shift) - 1); }
  float value(uint32_t bin, uint32_t rest = 0) const {
    const uint32_t key = (bin << shift | rest) + least;
    const uint32_t bits = key ^ (static_cast<uint32_t>(-static_cast<int32_t>(~key >> 31)) | 0x80000000u);
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
};

/// Adds `by` to the counts of voxels. Neighbours are counted in different tables, since they often are alike, and one count after
/// the other in the same place has to wait for the first.
template <int by, typename T>
void count_voxels(Bins<T> bins, const T* __restrict voxels, int64_t count, uint32_t* __restrict counts) {
  constexpr int lanes = Bins<T>::lanes;
  int64_t at = 0;
  for (; at + lanes <= count; at += lanes) {
    for (int lane = 0; lane < lanes; ++lane) counts[lane * Bins<T>::count + bins.of(voxels[at + lane])] += by;
  }
  for (; at < count; ++at) counts[bins.of(voxels[at])] += by;
}

/// Counts the voxels of one bin by what the bin leaves out. Most stretches hold none.
inline void count_within(Bins<float> bins, uint32_t bin, const float* __restrict voxels, int64_t count, uint32_t* __restrict finer) {
  constexpr int stretch = 64;
  int64_t at = 0;
  for (; at + stretch <= count; at += stretch) {
    uint32_t any = 0;
    for (int i = 0; i < stretch; ++i) any |= bins.of(voxels[at + i]) == bin ? 1u : 0u;
    for (int i = 0; any && i < stretch; ++i) {
      if (bins.of(voxels[at + i]) == bin) ++finer[bins.rest(voxels[at + i])];
    }
  }
  for (; at < count; ++at) {
    if (bins.of(voxels[at]) == bin) ++finer[bins.rest(voxels[at])];
  }
}

}  // namespace somaflow
