#include "chain/tissue.h"

namespace somaflow {

namespace {

// For each place of a span of an axis of `extent` voxels, the one of `coarse` voxels that its center lies in.
std::vector<int32_t> places(Span span, int32_t extent, int32_t coarse) {
  std::vector<int32_t> of;
  for (int64_t at = span.start; at < span.stop; ++at)
    of.push_back(static_cast<int32_t>((2 * at + 1) * coarse / (2 * int64_t{extent})));
  return of;
}

}  // namespace

Tissue::Tissue(const ChainConfig& config, const Images& images)
    : asked_(config.tissue.asked), dtype_(config.tissue.dtype), core_(config.core), images_(images) {
  if (!asked_) return;
  rows_ = places(core_.y, config.height, config.tissue.height);
  columns_ = places(core_.x, config.width, config.tissue.width);
}

bool Tissue::inside(int32_t z, int32_t y, int32_t x) const {
  const ImagePlane plane = images_.tissue(z);
  const int32_t row = rows_[static_cast<size_t>(y - core_.y.start)];
  const int32_t column = columns_[static_cast<size_t>(x - core_.x.start)];
  return with_type(dtype_, [&]<typename T>() { return plane.row<T>(row)[column] != 0; });
}

void Tissue::clear_outside(int32_t z, int32_t y, std::vector<uint64_t>& bits) const {
  const ImagePlane plane = images_.tissue(z);
  const int32_t row = rows_[static_cast<size_t>(y - core_.y.start)];
  with_type(dtype_, [&]<typename T>() { clear_where_zero(plane.row<T>(row), bits); });
}

// Only voxels above the threshold are asked, which are few.
template <typename T>
void Tissue::clear_where_zero(const T* row, std::vector<uint64_t>& bits) const {
  for (size_t word = 0; word < bits.size(); ++word)
    for (uint64_t left = bits[word]; left != 0; left &= left - 1) {
      const size_t at = word * 64 + static_cast<size_t>(__builtin_ctzll(left));
      if (row[columns_[at]] == 0) bits[word] &= ~(left & -left);
    }
}

}  // namespace somaflow
