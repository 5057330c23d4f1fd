#include "kernels/opening.h"

#include <algorithm>

#include "kernels/opening_chain.h"
#include "kernels/opening_kept.h"
#include "kernels/opening_scratch.h"

namespace somaflow {

namespace {

using Table = OpeningPlan::Table;
using Tap = OpeningPlan::Tap;

/// The row kernels of one target; pairs hold the erosion's minimum, then the dilation's maximum.
template <typename T, typename K = Kept<T>>
struct Kernels {
  void (*import_row)(const T*, K*, int, const T* later);
  void (*subtract_row)(const T*, const K*, T*, int, const T* later);
  void (*double_rows[2])(const K* const*, K* const*, int, int);
  void (*widen_row[2])(const K*, int, K*, int);
  void (*cover_rows[2])(const K* const*, int, K* const*, int, int);
};

#define SOMAFLOW_ROWS "kernels/opening_rows.inl.h"
#include "kernels/each_target.inl.h"

template <typename T>
const Kernels<T>& kernels_for(Target target) {
  return for_target(target, portable::kernels<T>, avx2::kernels<T>, avx512::kernels<T>);
}

constexpr int batch = OpeningPlan::batch;
constexpr int levels_max = 10;  // 2^10 is the greatest size

/// Erosion or dilation of a strip: the rings of the plan's tables, fed row by row. Row n of its result needs rows n to n + size_y - 1 of what is fed.
template <typename T>
class Stage {
  using K = Kept<T>;

 public:
  Stage(const OpeningPlan& plan, const Kernels<T>& kernels, bool greatest, int columns, OpeningScratch& scratch)
      : plan_(plan), kernels_(kernels), greatest_(greatest), columns_(columns) {
    pixels_ = scratch.take<K>(plan.ring_pixels());
    slots_ = scratch.take<int>(plan.tables().size());
    taps_ = scratch.take<const K*>(batch * plan.taps().size());
    cursors_ = scratch.take<int>(plan.taps().size());
    std::fill_n(slots_, plan.tables().size(), 0);
    // Row r of every table is in slot r modulo the ring's height, and means the rectangle whose last row is r.
    for (size_t t = 0; t < plan.taps().size(); ++t) {
      cursors_[t] = plan.taps()[t].row % plan.tables()[plan.taps()[t].table].rows;
    }
  }

  /// Where the pixels of the row after the next `ahead` rows go, before it is fed.
  K* next_row(int ahead = 0) const { return row(0, (slots_[0] + ahead) % plan_.tables()[0].rows); }

  /// Takes the row written at next_row() into all tables.
  void feed() {
    const Table* tables = plan_.tables().data();
    const int levels = plan_.levels();
    const K* before[levels_max + 1];
    K* now[levels_max + 1];
    for (int k = 0; k <= levels; ++k) {
      const int age = 1 << k, slot = slots_[k];
      now[k] = row(k, slot);
      // The last level is not doubled further, so its ring may be shorter than its age.
      before[k] = k == levels ? nullptr : row(k, slot >= age ? slot - age : slot - age + tables[k].rows);
    }
    kernels_.double_rows[greatest_](before, now, levels, columns_);
    const int count = static_cast<int>(plan_.tables().size());
    for (int i = levels + 1; i < count; ++i) {
      const Table& table = tables[i];
      const int half = 1 << (table.widening - 1);
      kernels_.widen_row[greatest_](row(table.from, slots_[table.from]), half, row(i, slots_[i]), columns_ - 2 * half + 1);
    }
    for (int i = 0; i < count; ++i) slots_[i] = slots_[i] + 1 == tables[i].rows ? 0 : slots_[i] + 1;
  }

  /// Computes the next `rows` rows of the result.
  void cover(K* const* out, int rows, int count) {
    const Tap* taps = plan_.taps().data();
    const int tap_count = static_cast<int>(plan_.taps().size());
    for (int t = 0; t < tap_count; ++t) {
      const Table& table = plan_.tables()[taps[t].table];
      const K* start = pixels_ + table.offset + taps[t].column;
      int cursor = cursors_[t];
      for (int i = 0; i < rows; ++i) {
        taps_[i * tap_count + t] = start + cursor * plan_.stride();
        if (++cursor == table.rows) cursor = 0;
      }
      cursors_[t] = cursor;
    }
    kernels_.cover_rows[greatest_](taps_, tap_count, out, rows, count);
  }

 private:
  K* row(int table, int slot) const { return pixels_ + plan_.tables()[table].offset + slot * plan_.stride(); }

  const OpeningPlan& plan_;
  const Kernels<T>& kernels_;
  const bool greatest_;
  const int columns_;
  K* pixels_;
  int* slots_;
  int* cursors_;
  const K** taps_;
};

/// The part of [first, first + count) inside [0, size), as indices from `first`.
struct Inside {
  int begin, end;
  Inside(int64_t first, int count, int64_t size)
      : begin(static_cast<int>(std::clamp<int64_t>(-first, 0, count))),
        end(static_cast<int>(std::clamp<int64_t>(size - first, begin, count))) {}
  /// Gives the pixels outside a value that never counts.
  template <typename K>
  void fill_outside(K* row, int count, K value) const {
    std::fill(row, row + begin, value);
    std::fill(row + end, row + count, value);
  }
};

}  // namespace

template <typename T>
void subtract_opening(Target target, const OpeningPlan& plan, const T* source, ptrdiff_t source_stride, PlaneBox have, int64_t height,
                      int64_t width, PlaneBox box, T* out, ptrdiff_t out_stride, void* memory) {
  using K = Kept<T>;
  const int64_t columns = box.x1 - box.x0;
  if (columns <= 0 || box.y1 <= box.y0) return;
  // Small disks need no rings.
  if (subtract_by_chain(target, plan, source, source_stride, have, height, width, box, out, out_stride, memory)) return;
  const Kernels<T>& kernels = kernels_for<T>(target);
  const int64_t strips = (columns + plan.strip() - 1) / plan.strip();
  const int strip = static_cast<int>((columns + strips - 1) / strips);
  // What each of the two stages reaches. The two kinds of dilation differ only in where what is read begins.
  const int size_y = plan.element().size_y, size_x = plan.element().size_x, reach_y = size_y - 1, reach_x = size_x - 1;
  // Row 0 of what is eroded and of what is dilated, in the plane.
  const int64_t source_y = box.y0 - plan.before_y(), eroded_y = source_y + size_y / 2;
  const int64_t source_rows = box.y1 - box.y0 + 2 * reach_y;

  for (int64_t x0 = box.x0; x0 < box.x1; x0 += strip) {
    const int open_columns = static_cast<int>(std::min<int64_t>(strip, box.x1 - x0));
    const int eroded_columns = open_columns + reach_x, source_columns = eroded_columns + reach_x;
    const int64_t source_x = x0 - plan.before_x();
    const Inside source_inside(source_x, source_columns, width);
    const Inside eroded_inside(source_x + size_x / 2, eroded_columns, width);

    OpeningScratch scratch(memory);
    Stage<T> erosion(plan, kernels, false, source_columns, scratch), dilation(plan, kernels, true, eroded_columns, scratch);
    K* opened[batch];
    for (int i = 0; i < batch; ++i) opened[i] = scratch.take<K>(plan.stride());

    // Rows go through both stages in batches. The first reach_y rows of a stage only fill its rings.
    int64_t eroded = 0, done = 0;
    for (int64_t fed = 0; fed < source_rows;) {
      const int64_t until = fed < reach_y ? reach_y : std::min<int64_t>(fed + batch, source_rows);
      for (; fed < until; ++fed) {
        K* row = erosion.next_row();
        const int64_t y = source_y + fed;
        if (y < 0 || y >= height) {
          std::fill_n(row, source_columns, most<K>);
        } else {
          const T* from = source + (y - have.y0) * source_stride + (source_x + source_inside.begin - have.x0);
          const int64_t rows_left = std::min(height, box.y1 + plan.after_y()) - 1 - y;
          kernels.import_row(from, row + source_inside.begin, source_inside.end - source_inside.begin,
                             from + std::min<int64_t>(batch, rows_left) * source_stride);
          source_inside.fill_outside(row, source_columns, most<K>);
        }
        erosion.feed();
      }
      const int rows = static_cast<int>(fed - reach_y - eroded);
      if (rows == 0) continue;

      K* eroded_rows[batch];
      for (int i = 0; i < rows; ++i) eroded_rows[i] = dilation.next_row(i);
      erosion.cover(eroded_rows, rows, eroded_columns);
      for (int i = 0; i < rows; ++i, ++eroded) {
        const int64_t y = eroded_y + eroded;
        if (y < 0 || y >= height) {
          std::fill_n(eroded_rows[i], eroded_columns, least<K>);
        } else {
          eroded_inside.fill_outside(eroded_rows[i], eroded_columns, least<K>);
        }
        dilation.feed();
      }

      const int ready = static_cast<int>(eroded - reach_y - done);
      if (ready <= 0) continue;
      dilation.cover(opened, ready, open_columns);
      for (int i = 0; i < ready; ++i, ++done) {
        const int64_t y = box.y0 + done;
        T* to = out + done * out_stride + (x0 - box.x0);
        kernels.subtract_row(source + (y - have.y0) * source_stride + (x0 - have.x0), opened[i], to, open_columns,
                             to + std::min<int64_t>(batch, box.y1 - 1 - y) * out_stride);
      }
    }
  }
}

template void subtract_opening(Target, const OpeningPlan&, const uint8_t*, ptrdiff_t, PlaneBox, int64_t, int64_t, PlaneBox, uint8_t*, ptrdiff_t, void*);
template void subtract_opening(Target, const OpeningPlan&, const uint16_t*, ptrdiff_t, PlaneBox, int64_t, int64_t, PlaneBox, uint16_t*, ptrdiff_t, void*);
template void subtract_opening(Target, const OpeningPlan&, const float*, ptrdiff_t, PlaneBox, int64_t, int64_t, PlaneBox, float*, ptrdiff_t, void*);

}  // namespace somaflow
