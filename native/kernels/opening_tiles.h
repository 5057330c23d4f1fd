#pragma once
#include <vector>

#include "kernels/opening.h"
#include "kernels/rows.h"

namespace somaflow {

/// Rows and columns of a tile.
constexpr int64_t kTileRows = 32, kTileColumns = 64;

/// Which parts of a box of a plane have a pixel above a limit, as boxes of whole tiles that do not overlap, one below the other or side by
/// side. Tiles that have none are left out where that saves work: not from rows of tiles of which more than half have one, nor a single
/// one between two that have.
/// `source` points at pixel (have.y0, have.x0), its stride is in pixels.
template <typename T>
std::vector<PlaneBox> boxes_above(Target target, const T* source, ptrdiff_t source_stride, PlaneBox have, PlaneBox box, T limit);

/// Does what subtract_opening does where only results above `limit` count: of integers, where the source is nowhere above it in a tile, nor can the
/// result be, which then may be 0 there. Returns how many pixels were opened.
template <typename T>
int64_t subtract_opening_above(Target target, const OpeningPlan& plan, const T* source, ptrdiff_t source_stride, PlaneBox have,
                               int64_t height, int64_t width, PlaneBox out_box, T* out, ptrdiff_t out_stride, void* scratch, T limit);

}  // namespace somaflow
