#include "kernels/percentiles.h"

#include <algorithm>

#include "kernels/order_statistics.h"
#include "kernels/value_bins.h"

namespace somaflow {

namespace {

/// Columns of a row that are looked at together where a mask leaves some out.
constexpr int64_t piece = 256;

/// Copies the voxels that are inside, and tells how many they are.
template <typename M, typename T>
int64_t keep_inside(const T* __restrict voxels, const M* __restrict inside, int64_t count, T* __restrict kept) {
  int64_t size = 0;
  for (int64_t at = 0; at < count; ++at) {
    kept[size] = voxels[at];  // overwritten by the next one, if it is outside
    size += inside[at] != 0;
  }
  return size;
}

/// The window that moves along a row of centers.
template <typename T>
class MovingWindow {
 public:
  /// `columns` are those that it will move over.
  MovingWindow(const WindowPlanes& image, const WindowMask* mask, Stretch rows, Stretch columns, void* scratch)
      : image_(image), mask_(mask), rows_(rows), counts_(static_cast<uint32_t*>(scratch)) {
    for (int i = 0; i < image.count; ++i) column_voxels_ += image.planes[i] ? rows.end - rows.begin : 0;
    if constexpr (!Bins<T>::exact) {
      uint32_t least = ~0u, most = 0;
      visit(columns, [&](const T* voxels, int64_t count) {
        for (int64_t at = 0; at < count; ++at) {
          least = std::min(least, Bins<T>::key(voxels[at]));
          most = std::max(most, Bins<T>::key(voxels[at]));
        }
      });
      if (least <= most) bins_.span(least, most);
    }
  }

  void move(Stretch columns) {
    const Stretch gone{columns_.begin, std::min(columns.begin, columns_.end)}, come{std::max(columns_.end, columns.begin), columns.end};
    const bool selects = (columns.end - columns.begin) * column_voxels_ <= Bins<T>::few;
    const int64_t moved = gone.end - gone.begin + come.end - come.begin;
    // Clearing 16 counts takes as long as counting a voxel.
    const bool anew = moved * column_voxels_ >= (columns.end - columns.begin) * column_voxels_ + Bins<T>::lanes * Bins<T>::count / 16;
    if (selects) {
      gather(columns);
    } else if (selected_ || anew || columns_.begin == columns_.end) {
      std::fill_n(counts_, Bins<T>::lanes * Bins<T>::count, 0);
      size_ = count<1>(columns);
    } else {
      size_ -= count<-1>(gone);
      size_ += count<1>(come);
    }
    selected_ = selects;
    columns_ = columns;
  }

  void percentiles(Percentiles asked, double& low, double& high) {
    low = high = 0;
    if (size_ == 0) return;
    const Between lower(asked.low, size_), upper(asked.high, size_);
    double values[4];
    selected_ ? select(lower, upper, values) : look_up(lower, upper, values);
    low = lower.of(values[0], values[1]);
    high = upper.of(values[2], values[3]);
  }

 private:
  /// Calls `each(voxels, count)` with the voxels of these columns that count, some at a time.
  template <typename F>
  void visit(Stretch columns, F each) const {
    for (int plane = 0; plane < image_.count; ++plane) {
      if (!image_.planes[plane]) continue;
      for (int64_t y = rows_.begin; y < rows_.end; ++y) {
        const T* row = row_of<T>(image_, plane, y);
        if (!mask_) {
          each(row + columns.begin, columns.end - columns.begin);
          continue;
        }
        T kept[piece];
        for (int64_t x = columns.begin; x < columns.end; x += piece) {
          const int64_t part = std::min(piece, columns.end - x);
          each(kept, with_type(mask_->dtype, [&]<typename M>() {
                 return keep_inside(row + x, row_of<M>(mask_->planes, plane, y) + x, part, kept);
               }));
        }
      }
    }
  }
  template <typename P>
  static const P* row_of(const WindowPlanes& of, int plane, int64_t y) {
    return static_cast<const P*>(of.planes[plane]) + (y - of.have.y0) * of.stride - of.have.x0;
  }

  template <int by>
  uint64_t count(Stretch columns) {
    uint64_t size = 0;
    visit(columns, [&](const T* voxels, int64_t count) {
      count_voxels<by>(bins_, voxels, count, counts_);
      size += static_cast<uint64_t>(count);
    });
    return size;
  }

  void gather(Stretch columns) {
    size_ = 0;
    visit(columns, [&](const T* voxels, int64_t count) {
      std::copy_n(voxels, count, gathered() + size_);
      size_ += static_cast<uint64_t>(count);
    });
  }
  T* gathered() { return reinterpret_cast<T*>(counts_); }

  void select(const Between& lower, const Between& upper, double* values) {
    T* const end = gathered() + size_;
    T* begin = gathered();
    for (const Between* each : {&lower, &upper}) {
      T* const before = gathered() + each->before;
      std::nth_element(begin, before, end);
      *values++ = static_cast<double>(*before);
      *values++ = static_cast<double>(each->after == each->before ? *before : *std::min_element(before + 1, end));
      // The upper percentile is not among the voxels before the lower one.
      begin = before;
    }
  }

  void look_up(const Between& lower, const Between& upper, double* values) {
    const uint64_t ranks[] = {lower.before, lower.after, upper.before, upper.after};
    Ranks<Bins<T>::lanes, Bins<T>::count> counted(counts_);
    uint32_t known = Bins<T>::count;
    for (int i = 0; i < 4; ++i) {
      const auto place = counted.of(ranks[i]);
      values[i] = static_cast<double>(bins_.value(place.bin));
      if constexpr (!Bins<T>::exact) {
        if (bins_.shift == 0) continue;
        uint32_t* const finer = counts_ + Bins<T>::lanes * Bins<T>::count;
        if (place.bin != known) {
          std::fill_n(finer, Bins<T>::count, 0);
          visit(columns_, [&](const T* voxels, int64_t count) { count_within(bins_, place.bin, voxels, count, finer); });
          known = place.bin;
        }
        values[i] = static_cast<double>(bins_.value(place.bin, Ranks<1, Bins<T>::count>(finer).of(ranks[i] - place.below).bin));
      }
    }
  }

  const WindowPlanes& image_;
  const WindowMask* mask_;
  const Stretch rows_;
  uint32_t* const counts_;
  Bins<T> bins_;
  int64_t column_voxels_ = 0;
  Stretch columns_{0, 0};
  uint64_t size_ = 0;
  bool selected_ = false;
};

}  // namespace

template <typename T>
size_t percentile_scratch_bytes() {
  return std::max((Bins<T>::lanes + !Bins<T>::exact) * Bins<T>::count * sizeof(uint32_t), Bins<T>::few * sizeof(T));
}

template <typename T>
void percentile_row(Percentiles percentiles, const WindowPlanes& image, const WindowMask* mask, Stretch rows, const SampleAxis& x,
                    Stretch centers, double* low, double* high, void* scratch) {
  if (centers.begin >= centers.end) return;
  MovingWindow<T> window(image, mask, rows, x.windows(centers), scratch);
  for (int64_t i = centers.begin; i < centers.end; ++i) {
    window.move(x.window(i));
    window.percentiles(percentiles, *low++, *high++);
  }
}

template size_t percentile_scratch_bytes<uint8_t>();
template size_t percentile_scratch_bytes<uint16_t>();
template size_t percentile_scratch_bytes<float>();
template void percentile_row<uint8_t>(Percentiles, const WindowPlanes&, const WindowMask*, Stretch, const SampleAxis&, Stretch, double*,
                                      double*, void*);
template void percentile_row<uint16_t>(Percentiles, const WindowPlanes&, const WindowMask*, Stretch, const SampleAxis&, Stretch, double*,
                                       double*, void*);
template void percentile_row<float>(Percentiles, const WindowPlanes&, const WindowMask*, Stretch, const SampleAxis&, Stretch, double*,
                                    double*, void*);

}  // namespace somaflow
