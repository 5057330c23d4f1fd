#include "chain/peaks.h"

#include <algorithm>
#include <cstring>

namespace somaflow {

namespace {

template <typename T>
uint32_t bits_of(T value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}

}  // namespace

template <typename T>
PeakTest<T>::PeakTest(const DetectorConfig& detector, Target target)
    : z_(detector.window_z),
      y_(detector.window_y),
      x_(detector.window_x),
      limit_(limit_of<T>(detector.seed_threshold)),
      kernels_(row_kernels<T>(target)) {
  for (int32_t z = -z_.before; z <= z_.after; ++z)
    for (int32_t y = -y_.before; y <= y_.after; ++y) nearest_first_.push_back({z, y});
  std::stable_sort(nearest_first_.begin(), nearest_first_.end(),
                   [](const Row& a, const Row& b) { return a.z * a.z + a.y * a.y < b.z * b.z + b.y * b.y; });
}

template <typename T>
void PeakTest<T>::candidates(const ImagePlane* planes, int32_t y, Span columns, bool known, std::vector<uint64_t>& bits,
                             std::vector<Peak>& found) const {
  if (limit_.none) return;
  const ImagePlane& plane = planes[z_.before];
  const T* const row = plane.row<T>(y);
  const T* const previous = z_.before > 0 && planes[z_.before - 1].data != nullptr ? planes[z_.before - 1].row<T>(y) : row;
  const T* const next = z_.after > 0 && planes[z_.before + 1].data != nullptr ? planes[z_.before + 1].row<T>(y) : row;
  const auto take = [&](int32_t x) {
    __builtin_prefetch(previous + x);
    __builtin_prefetch(next + x);
    found.push_back({y, x, bits_of(row[x])});
  };
  if (limit_.all) {  // no row kernel has a threshold below all values
    for (int32_t x = columns.start; x < columns.stop; ++x) take(x);
    return;
  }
  const size_t count = static_cast<size_t>(columns.size()), words = (count + 63) / 64;
  if (!known) {
    bits.resize(words);
    kernels_.mask_bits(row + columns.start, count, limit_.value, bits.data(), later_row<T>(plane, y) + columns.start);
  }
  // The first and last voxel of the row may lack a neighbour, so that all of their words that are above the threshold are tested in full.
  const bool first = x_.before > 0 && columns.start == plane.columns.start, last = x_.after > 0 && columns.stop == plane.columns.stop;
  const size_t begin = first ? 1 : 0, end = std::max(begin, last ? words - 1 : words);
  const int32_t x0 = columns.start + static_cast<int32_t>(begin * 64);
  const T* const above = y_.before > 0 && plane.rows.holds(y - 1) ? plane.row<T>(y - 1) : row;
  const T* const below = y_.after > 0 && plane.rows.holds(y + 1) ? plane.row<T>(y + 1) : row;
  kernels_.peak_bits(row + x0, above + x0, below + x0, x_.before > 0, x_.after > 0, std::min(count, end * 64) - std::min(count, begin * 64),
                     limit_.value, bits.data() + begin);
  for (size_t word = 0; word < words; ++word) {
    const bool edge = word < begin || word >= end;
    for (uint64_t left = bits[word]; left != 0; left &= left - 1) {
      const int32_t x = columns.start + static_cast<int32_t>(word * 64) + __builtin_ctzll(left);
      if (!edge || row[x] > limit_.value) take(x);
    }
  }
}

template <typename T>
void PeakTest<T>::judge(const ImagePlane* planes, const std::vector<Peak>& candidates, std::vector<Peak>& peaks) const {
  for (const Peak& candidate : candidates)
    if (is_peak(planes, candidate.y, candidate.x)) peaks.push_back(candidate);
}

template <typename T>
bool PeakTest<T>::is_peak(const ImagePlane* planes, int32_t y, int32_t x) const {
  const ImagePlane& own = planes[z_.before];
  const T value = own.row<T>(y)[x];
  // Within a window of what is asked for, the image ends only where the volume ends.
  const int32_t from = std::max(x - x_.before, own.columns.start);
  const int32_t to = std::min(x + x_.after, own.columns.stop - 1);
  for (const Row& offset : nearest_first_) {
    const ImagePlane& plane = planes[z_.before + offset.z];
    if (plane.data == nullptr || !plane.rows.holds(y + offset.y)) continue;
    const T* row = plane.row<T>(y + offset.y);
    for (int32_t at = from; at <= to; ++at)
      if (row[at] > value) return false;
  }
  return true;
}

template class PeakTest<uint8_t>;
template class PeakTest<uint16_t>;
template class PeakTest<float>;

}  // namespace somaflow
