#include "chain/properties.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>

#include "chain/measures.h"

namespace somaflow {

namespace {

template <typename T>
T value_at(const uint8_t* values, size_t i) {
  T value;
  std::memcpy(&value, values + i * sizeof(T), sizeof(T));
  return value;
}

// Adds a stretch, which begins `dx`, `dy`, `dz` from the center, to the sums along x, y and z and to that of the weights.
template <typename T>
void add_moments(const uint8_t* values, size_t count, double dx, double dy, double dz, double* sums, double& weight) {
  double x = sums[0], y = sums[1], z = sums[2], all = weight;
  for (size_t i = 0; i < count; ++i) {
    const double value = static_cast<double>(value_at<T>(values, i));
    x += value * (dx + static_cast<double>(i));
    y += value * dy;
    z += value * dz;
    all += value;
  }
  sums[0] = x;
  sums[1] = y;
  sums[2] = z;
  weight = all;
}

// The same of a stretch whose voxels all weigh 1: sums of integers, which are exact.
void add_offsets(size_t count, double dx, double dy, double dz, double* sums) {
  const double n = static_cast<double>(count);
  sums[0] += n * dx + n * (n - 1) / 2;
  sums[1] += n * dy;
  sums[2] += n * dz;
}

void widen(double* box, const Run& run, size_t begin, size_t end) {
  const double from[3] = {static_cast<double>(run.x) + static_cast<double>(begin), static_cast<double>(run.y), static_cast<double>(run.z)};
  const double to[3] = {static_cast<double>(run.x) + static_cast<double>(end), from[1] + 1, from[2] + 1};
  for (int axis = 0; axis < 3; ++axis) {
    box[2 * axis] = std::min(box[2 * axis], from[axis]);
    box[2 * axis + 1] = std::max(box[2 * axis + 1], to[axis]);
  }
}

bool on_edge(const VolumeExtent& volume, const Run& run, size_t begin, size_t end) {
  const auto outer = [](int32_t at, int32_t extent) { return at == 0 || at + 1 == extent; };
  return outer(run.z, volume.depth) || outer(run.y, volume.height) || (begin == 0 && run.x == 0) ||
         run.x + static_cast<int32_t>(end) == volume.width;
}

bool saturated(Dtype dtype, const uint8_t* values, size_t begin, size_t end) {
  return with_type(dtype, [&]<typename T>() {
    if constexpr (std::is_integral_v<T>)
      for (size_t i = begin; i < end; ++i)
        if (value_at<T>(values, i) == std::numeric_limits<T>::max()) return true;
    return false;
  });
}

// Calls each(run, begin, end, values of its first voxel, row) for each stretch of a cell; `rows` are those of the cells.
template <typename Each>
void for_cells(const Piece* pieces, size_t count, const uint8_t* values, const uint32_t* labels, size_t width, double* rows,
               const std::atomic<bool>& stop, const Each& each) {
  for_stretches(pieces, count, labels, stop, [&](const Piece* piece, size_t begin, size_t end, size_t label) {
    each(piece->run, begin, end, values + piece->values, rows + (label - 1) * width, label - 1);
  });
}

}  // namespace

void add_properties(const Piece* pieces, size_t count, const uint8_t* values, const uint32_t* labels, const FloodRules& rules,
                    const VolumeExtent& volume, double* weights, double* rows, size_t cells, const std::atomic<bool>& stop) {
  const size_t width = rules.row_width();
  const size_t centroid = rules.centroid_at(), box = rules.box_at(), flags = rules.flags_at();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (size_t cell = 0; cell < cells; ++cell) {
    weights[cell] = 0;
    for (size_t side = 0; rules.box && side < 6; ++side) rows[cell * width + box + side] = side % 2 == 0 ? infinity : -infinity;
  }

  with_type(rules.channels[0], [&]<typename T>() {
    for_cells(pieces, count, values, labels, width, rows, stop,
              [&](const Run& run, size_t begin, size_t end, const uint8_t* first, double* row, size_t cell) {
      if (rules.centroid)
        add_moments<T>(first + begin * sizeof(T), end - begin, run.x + static_cast<double>(begin) - row[0], run.y - row[1],
                       run.z - row[2], row + centroid, weights[cell]);
      if (rules.box) widen(row + box, run, begin, end);
      if (!rules.flags) return;
      uint8_t found = static_cast<uint8_t>(row[flags]);
      if (on_edge(volume, run, begin, end)) found |= kOnEdge;
      if (const int32_t channel = rules.saturated_channel; channel >= 0 && !(found & kSaturated)) {
        const uint8_t* const at = first + static_cast<size_t>(run.length) * rules.bytes_before(channel);
        if (saturated(rules.channels[static_cast<size_t>(channel)], at, begin, end)) found |= kSaturated;
      }
      row[flags] = found;
    });
  });
  if (!rules.centroid) return;

  bool weightless = false;
  for (size_t cell = 0; cell < cells; ++cell) {
    if (weights[cell] > 0) continue;
    std::fill_n(rows + cell * width + centroid, 3, 0.0);
    weightless = true;
  }
  if (weightless)
    for_cells(pieces, count, values, labels, width, rows, stop,
              [&](const Run& run, size_t begin, size_t end, const uint8_t*, double* row, size_t cell) {
      if (weights[cell] > 0) return;
      add_offsets(end - begin, run.x + static_cast<double>(begin) - row[0], run.y - row[1], run.z - row[2], row + centroid);
    });
  for (size_t cell = 0; cell < cells; ++cell) {
    double* const row = rows + cell * width;
    const double weight = weights[cell] > 0 ? weights[cell] : row[kSize];
    for (size_t axis = 0; axis < 3; ++axis) row[centroid + axis] = row[axis] + row[centroid + axis] / weight;
  }
}

}  // namespace somaflow
