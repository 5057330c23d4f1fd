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

/// The flat element of an opening, as SPEC.md defines it under removeBackground.
struct OpeningElement {
  int size_y, size_x;  ///< extents in pixels, 1 to 1024 each
  bool disk;           ///< a disk (an ellipse, where the sizes differ), else the whole rectangle
  bool reflected;      ///< dilate by the reflected element ('symmetric'), else by the element as it is ('clearmap')
};

/// How an element is covered by rectangles whose sides are powers of two.
///
/// The minimum over an element is the minimum over any set of rectangles whose union it is, and the minimum over
/// a rectangle of 2^k rows and 2^j columns comes from a table that doubles rows k times and columns j times. A plan
/// lists the tables and, as taps, where to read them. Both elements are symmetric about their centers, so the same
/// taps, counted from the first row and column of the element, serve the erosion and the dilation by the reflected
/// element. The element as it is has the same outline; along an axis of even size it only lies one pixel further back.
///
/// Small disks have a faster way, which needs no tables (see DiskChain); a plan serves for both.
///
/// Built once for an element; immutable; shared by threads.
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

  /// `pixel_bytes` is the size of the pixels that will be opened: the widest strip that fits the cache depends on it.
  OpeningPlan(const OpeningElement& element, size_t pixel_bytes);

  const OpeningElement& element() const { return element_; }
  /// How many pixels beyond `out_box` the opening reads on either side: what erosion and dilation reach together.
  int before_y() const { return before(element_.size_y); }
  int after_y() const { return 2 * (element_.size_y - 1) - before_y(); }
  int before_x() const { return before(element_.size_x); }
  int after_x() const { return 2 * (element_.size_x - 1) - before_x(); }
  /// Bytes of scratch that each thread brings, aligned to 64.
  size_t scratch_bytes() const;

  const std::vector<Table>& tables() const { return tables_; }
  const std::vector<Tap>& taps() const { return taps_; }
  int levels() const { return levels_; }         ///< tables 0 to levels are those of one column
  int strip() const { return strip_; }           ///< greatest number of columns opened at once
  size_t stride() const { return stride_; }      ///< of every ring, in pixels
  size_t ring_pixels() const { return pixels_; } ///< of all rings of a stage

 private:
  /// Columns of equal height at one side of the element; `whole` counts the columns that are at least as tall.
  struct Group {
    int height, left, columns, whole;
  };
  void add_taps(const Group& group, int level, int wide);
  int widened(int from);
  void lay_out();
  int before(int size) const { return element_.reflected ? size - 1 : size / 2 * 2; }

  const OpeningElement element_;
  const size_t pixel_bytes_;
  int levels_ = 0, strip_ = 0;
  size_t stride_ = 0, pixels_ = 0;
  std::vector<Table> tables_;
  std::vector<Tap> taps_;
};

/// Writes `I - min(I, open(I))` of `out_box`, the opening being erosion by the plan's element and dilation by its
/// reflection or by itself. T is uint8_t, uint16_t or float; the plan was made for pixels of its size.
///
/// `source` points at pixel (have.y0, have.x0); `have` contains `out_box` grown by the plan's before and after and clipped
/// to the plane [0, height) x [0, width). Pixels outside the plane never count: they are greatest for the erosion, and
/// eroded ones least for the dilation. `out` points at (out_box.y0, out_box.x0). Strides are in pixels. `out` must not
/// overlap `source`. Floats have to be finite and not -0; the result then has no -0 either, and is the float32 difference.
/// The result does not depend on how a plane is cut into boxes, nor on the target.
template <typename T>
void subtract_opening(Target target, const OpeningPlan& plan, const T* source, ptrdiff_t source_stride, PlaneBox have, int64_t height,
                      int64_t width, PlaneBox out_box, T* out, ptrdiff_t out_stride, void* scratch);

}  // namespace somaflow
