#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/target.h"

namespace somaflow {

/// A half-open box of a plane, in the coordinates of the whole volume's plane.
struct PlaneBox {
  int64_t y0, y1, x0, x1;
};

/// How the disk of SPEC.md is covered by rectangles whose sides are powers of two.
///
/// The minimum over the disk is the minimum over any set of rectangles whose union is the disk, and the minimum over
/// a rectangle of 2^k rows and 2^j columns comes from a table that doubles rows k times and columns j times. A plan
/// lists the tables and, as taps, where to read them. The disk is symmetric about its center, so the same taps,
/// counted from the first row and column of the element, serve the erosion and the dilation by the reflected disk.
///
/// Built once for a size; immutable; shared by threads.
class OpeningPlan {
 public:
  /// A ring of rows of minima (or maxima). Table k, up to levels(), is over 2^k rows of one column; a later one is over
  /// 2^widening columns of its level's rectangles, made from the table `from` of half as many.
  struct Table {
    int from, widening;
    int rows;       ///< height of the ring
    size_t offset;  ///< of the ring in a stage's memory, in pixels
  };
  /// A rectangle of the cover; `row` is its last row and `column` its first, both counted from the element's first.
  struct Tap {
    int table, row, column;
  };
  /// Rows that are covered together, so that what one row brought into L1 serves the others.
  static constexpr int batch = 8;

  /// Sizes are the extents of the disk in pixels, 1 to 1024 each.
  OpeningPlan(int size_y, int size_x);

  int size_y() const { return size_y_; }
  int size_x() const { return size_x_; }
  /// How many pixels beyond `out_box` the opening reads, per axis: what erosion and dilation reach together.
  int reach_y() const { return size_y_ - 1; }
  int reach_x() const { return size_x_ - 1; }
  /// Bytes of scratch that each thread brings, aligned to 64.
  size_t scratch_bytes() const;

  const std::vector<Table>& tables() const { return tables_; }
  const std::vector<Tap>& taps() const { return taps_; }
  int levels() const { return levels_; }         ///< tables 0 to levels are those of one column
  int strip() const { return strip_; }           ///< greatest number of columns opened at once
  size_t stride() const { return stride_; }      ///< of every ring, in pixels
  size_t ring_pixels() const { return pixels_; } ///< of all rings of a stage

 private:
  /// Columns of equal height at one side of the disk; `whole` counts the columns that are at least as tall.
  struct Group {
    int height, left, columns, whole;
  };
  void add_taps(const Group& group, int level, int wide);
  int widened(int from);
  void lay_out();

  int size_y_, size_x_, levels_ = 0, strip_ = 0;
  size_t stride_ = 0, pixels_ = 0;
  std::vector<Table> tables_;
  std::vector<Tap> taps_;
};

/// Writes `I - min(I, open(I))` of `out_box`, the opening being erosion by the plan's disk and dilation by its reflection.
///
/// `source` points at pixel (have.y0, have.x0); `have` contains `out_box` grown by the reach and clipped to the plane
/// [0, height) x [0, width). Pixels outside the plane never count: they are greatest for the erosion, and eroded ones
/// least for the dilation. `out` points at (out_box.y0, out_box.x0). Strides are in pixels. `out` must not overlap `source`.
/// The result does not depend on how a plane is cut into boxes, nor on the target.
void subtract_opening(Target target, const OpeningPlan& plan, const uint16_t* source, ptrdiff_t source_stride, PlaneBox have,
                      int64_t height, int64_t width, PlaneBox out_box, uint16_t* out, ptrdiff_t out_stride, void* scratch);

}  // namespace somaflow
