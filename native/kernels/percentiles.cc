#include "kernels/percentiles.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace somaflow {

namespace {

/// Columns of a row that are looked at together where a mask leaves some out.
constexpr int64_t piece = 256;

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
void count_within(Bins<float> bins, uint32_t bin, const float* __restrict voxels, int64_t count, uint32_t* __restrict finer) {
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

/// Walks through counts, from where it last was.
template <int lanes, int bins>
class Ranks {
 public:
  Ranks(const uint32_t* counts) : counts_(counts), next_(sum(0)) {}

  /// The bin of the voxel that `rank` voxels come before, and how many are in the bins before it.
  struct Place {
    uint32_t bin;
    uint64_t below;
  };
  Place of(uint64_t rank) {
    while (rank < below_) below_ -= next_ = sum(--block_);
    while (below_ + next_ <= rank) {
      below_ += next_;
      next_ = sum(++block_);
    }
    Place place{block_ * block_bins, below_};
    for (uint32_t here; place.below + (here = at(place.bin)) <= rank; ++place.bin) place.below += here;
    return place;
  }

 private:
  static constexpr uint32_t block_bins = 128;
  uint64_t sum(uint32_t block) const {
    uint32_t sum = 0;
    for (uint32_t bin = 0; bin < block_bins; ++bin) sum += at(block * block_bins + bin);
    return sum;
  }
  uint32_t at(uint32_t bin) const {
    uint32_t sum = 0;
    for (int lane = 0; lane < lanes; ++lane) sum += counts_[lane * bins + bin];
    return sum;
  }

  const uint32_t* counts_;
  uint32_t block_ = 0;
  uint64_t below_ = 0, next_;
};

/// Where a percentile lies in ascending order: between the voxels of two ranks.
struct Between {
  uint64_t before, after;
  double weight;

  Between(double percentile, uint64_t count) {
    const double position = static_cast<double>(count - 1) * percentile;
    before = std::min(static_cast<uint64_t>(position), count - 1);
    after = std::min(before + 1, count - 1);
    weight = position - static_cast<double>(before);
  }
  /// NumPy's formula, from the nearer end.
  double of(double a, double b) const { return weight < 0.5 ? a + (b - a) * weight : b - (b - a) * (1 - weight); }
};

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
