#include "kernels/opening_chain.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "kernels/opening_kept.h"
#include "kernels/opening_scratch.h"

namespace somaflow {

namespace {

/// Rows that go through a chain together.
constexpr int batch = 4;

/// A stretch of a strip's columns, of whole vectors, and where its rows begin: in the plane, or in a copy where those of the plane
/// cannot be read or written in whole vectors.
template <typename T>
struct ChainSpan {
  int columns = 0;
  ptrdiff_t later = 0;  ///< what is read soon lies so many pixels further
  const T* source[batch] = {};
  T* out[batch] = {};
};
constexpr int kChainSpans = 3;  // the first vectors of a strip, those in the plane, the last ones

template <typename T, typename K = Kept<T>>
struct ChainKernels {
  void (*erode_rows)(const ChainSpan<T>*, K* waiting, ptrdiff_t stride, K* eroded);
  void (*dilate_rows)(const ChainSpan<T>*, K* waiting, ptrdiff_t stride, const K* eroded);
  int lanes;  ///< 0 where the target's vectors are too short
};

#define SOMAFLOW_ROWS "kernels/opening_chain_rows.inl.h"
#include "kernels/each_target.inl.h"

template <typename T>
const ChainKernels<T>& kernels_for(Target target, int size) {
  constexpr size_t count = kChainSizes.size();
  static constexpr auto of_sizes = []<size_t... n>(std::index_sequence<n...>) {
    using OfSizes = std::array<ChainKernels<T>, count>;
    return std::array<OfSizes, kTargets.size()>{OfSizes{portable::chain_kernels<kChainSizes[n], T>()...},
                                                OfSizes{avx2::chain_kernels<kChainSizes[n], T>()...},
                                                OfSizes{avx512::chain_kernels<kChainSizes[n], T>()...}};
  }(std::make_index_sequence<count>{});
  const auto index = std::ranges::lower_bound(kChainSizes, size) - kChainSizes.begin();
  return of_sizes[static_cast<size_t>(target)][static_cast<size_t>(index)];
}

/// How wide strips are, and what they take of memory; in pixels.
struct Layout {
  int line, strip, stride;
  // Wide strips read each neighborhood less often and the planes in long runs; the rows that wait then lie in L2, from where each is
  // fetched once for a batch. In front of a strip lie the columns that both stages reach, and up to two vectors more. An odd number
  // of cache lines keeps the rows of a column out of the same few L1 sets.
  Layout(int size, size_t pixel_bytes)
      : line(static_cast<int>(64 / pixel_bytes)),
        strip(kChainStripBytes / 64 * line),
        stride(((strip + 2 * (size - 1)) / line + 3) / 2 * 2 * line + line) {}
};

int rounded_up(int count, int unit) { return (count + unit - 1) / unit * unit; }
int within(int64_t column, int64_t least, int64_t most) { return static_cast<int>(std::clamp(column, least, most)); }

/// The columns of a strip, counted so that the first result is of the first column of a vector. What is read, what is eroded and what
/// is opened at a column are those pixels of the plane whose windows end there.
struct Columns {
  int count, total;      ///< columns of the result, and of all
  int lead;              ///< columns before the result's
  int64_t source_x;      ///< of column 0 of what is read, in the plane
  int begin, end;        ///< those that can be read
  int head, tail;        ///< those among them of whole vectors, which are read in place
  int inside0, inside1;  ///< those whose eroded pixels lie in the plane
  int whole;             ///< columns of the result that are whole vectors, and are written in place

  Columns(const OpeningPlan& plan, PlaneBox have, int64_t width, int64_t x0, int columns, int lanes)
      : count(columns), lead(rounded_up(2 * (plan.element().size_x - 1), lanes)), whole(columns / lanes * lanes) {
    total = lead + rounded_up(columns, lanes);
    source_x = x0 + plan.after_x() - lead;
    begin = within(have.x0 - source_x, 0, total), end = within(have.x1 - source_x, begin, total);
    head = rounded_up(begin, lanes), tail = end / lanes * lanes;
    if (tail < head) head = tail = total;
    const int64_t eroded_x = source_x - (plan.element().size_x - 1 - plan.element().size_x / 2);
    inside0 = within(-eroded_x, 0, total), inside1 = within(width - eroded_x, inside0, total);
  }
};

/// Points the spans at `row` of the plane, whose pixel 0 lies at column 0 of the strip; what is not of whole vectors is copied to `copy`.
template <typename T>
void read_row(const Columns& at, const T* row, T* copy, T outside, int i, ChainSpan<T>* spans) {
  spans[0].source[i] = copy;
  spans[1].source[i] = row + at.head;
  spans[2].source[i] = copy + at.head;
  if (at.head > 0) {
    std::fill_n(copy, at.head, outside);
    std::copy(row + at.begin, row + std::min(at.head, at.end), copy + at.begin);
  }
  if (at.tail < at.total) {
    std::fill_n(copy + at.head, at.total - at.tail, outside);
    std::copy(row + at.tail, row + at.end, copy + at.head);
  }
}

}  // namespace

bool always_by_chain(const OpeningElement& element, size_t pixel_bytes) {
  if (!has_chain(element)) return false;
  // Its vectors are the shortest ones.
  const Target least = Target::portable;
  const int size = element.size_x;
  return (pixel_bytes == 1   ? kernels_for<uint8_t>(least, size).lanes
          : pixel_bytes == 2 ? kernels_for<uint16_t>(least, size).lanes
                             : kernels_for<float>(least, size).lanes) > 0;
}

size_t chain_scratch_bytes(const OpeningElement& element, size_t pixel_bytes) {
  const Layout layout(element.size_x, pixel_bytes);
  const int rows = 2 * (element.size_y - 1) + 2 * batch + 1;
  return static_cast<size_t>(rows * layout.stride + batch * layout.line) * pixel_bytes;
}

template <typename T>
bool subtract_by_chain(Target target, const OpeningPlan& plan, const T* source, ptrdiff_t source_stride, PlaneBox have, int64_t height,
                       int64_t width, PlaneBox box, T* out, ptrdiff_t out_stride, void* memory) {
  using K = Kept<T>;
  if (!has_chain(plan.element())) return false;
  const int size = plan.element().size_x, reach = size - 1;
  const ChainKernels<T>& kernels = kernels_for<T>(target, size);
  if (kernels.lanes == 0) return false;
  const Layout layout(size, sizeof(T));
  const ptrdiff_t stride = layout.stride;

  // Where nothing was written yet, anything may be read: it comes out only in rows and columns that are not of the box.
  OpeningScratch scratch(memory);
  K* const eroding = scratch.take<K>(reach * stride);
  K* const dilating = scratch.take<K>(reach * stride);
  K* const eroded = scratch.take<K>(batch * stride);
  T* const edges = scratch.take<T>(batch * stride);
  T* const outside = scratch.take<T>(stride);
  T* const last = scratch.take<T>(batch * layout.line);
  const int64_t widest = std::min<int64_t>(stride, box.x1 - box.x0 + 2 * reach + 2 * kernels.lanes);
  std::fill_n(outside, widest, std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max());

  // The batches of the rows that are read; the eroded row that is complete then, and the result, are `reach` rows further back each.
  const int64_t source_y = box.y0 - plan.before_y(), eroded_y = source_y + size / 2 - reach, rows = box.y1 - box.y0 + 2 * reach;
  for (int64_t x0 = box.x0; x0 < box.x1; x0 += layout.strip) {
    const Columns at(plan, have, width, x0, within(box.x1 - x0, 0, layout.strip), kernels.lanes);
    for (int64_t fed = 0; fed < rows; fed += batch) {
      ChainSpan<T> read[kChainSpans], written[kChainSpans];
      read[0].columns = at.head, read[1].columns = at.tail - at.head, read[2].columns = at.total - at.tail;
      read[1].later = 2 * batch * source_stride;
      for (int i = 0; i < batch; ++i) {
        const int64_t y = source_y + fed + i;
        if (y >= 0 && y < height && fed + i < rows) {
          read_row(at, source + (y - have.y0) * source_stride + (at.source_x - have.x0), edges + i * stride, outside[0], i, read);
        } else {
          for (ChainSpan<T>& span : read) span.source[i] = outside;
        }
      }
      kernels.erode_rows(read, eroding, stride, eroded);

      for (int i = 0; i < batch; ++i) {
        const int64_t y = eroded_y + fed + i;
        K* const row = eroded + i * stride;
        const bool inside = y >= 0 && y < height;
        std::fill(row, row + (inside ? at.inside0 : at.total), least<K>);
        std::fill(row + at.inside1, row + at.total, least<K>);
      }

      written[0].columns = at.lead, written[1].columns = at.whole, written[2].columns = at.total - at.lead - at.whole;
      const auto in_box = [&](int i) { return fed + i >= 2 * reach && fed + i < rows; };
      const auto to = [&](int i) { return out + (fed + i - 2 * reach) * out_stride + (x0 - box.x0); };
      for (int i = 0; i < batch; ++i) {
        // What is not of the box replaces eroded pixels, which have been read by then.
        for (ChainSpan<T>& span : written) span.source[i] = outside, span.out[i] = reinterpret_cast<T*>(eroded + i * stride);
        if (!in_box(i)) continue;
        const T* const row = source + (box.y0 + fed + i - 2 * reach - have.y0) * source_stride + (x0 - have.x0);
        written[1].source[i] = row, written[1].out[i] = to(i);
        written[2].source[i] = written[2].out[i] = std::copy(row + at.whole, row + at.count, last + i * layout.line) - (at.count - at.whole);
      }
      kernels.dilate_rows(written, dilating, stride, eroded);
      for (int i = 0; i < batch; ++i) {
        if (in_box(i)) std::copy_n(last + i * layout.line, at.count - at.whole, to(i) + at.whole);
      }
    }
  }
  return true;
}

template bool subtract_by_chain(Target, const OpeningPlan&, const uint8_t*, ptrdiff_t, PlaneBox, int64_t, int64_t, PlaneBox, uint8_t*, ptrdiff_t, void*);
template bool subtract_by_chain(Target, const OpeningPlan&, const uint16_t*, ptrdiff_t, PlaneBox, int64_t, int64_t, PlaneBox, uint16_t*, ptrdiff_t, void*);
template bool subtract_by_chain(Target, const OpeningPlan&, const float*, ptrdiff_t, PlaneBox, int64_t, int64_t, PlaneBox, float*, ptrdiff_t, void*);

}  // namespace somaflow
