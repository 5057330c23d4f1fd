#include "runtime/synthetic.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <tuple>
#include <type_traits>

namespace somaflow {

namespace {

// Mixers with published constants: splitmix64 (Steele, Lea, Flood 2014) for rows, lowbias32 (Wellons 2018) for voxels.
uint64_t mixed64(uint64_t value) {
  value += 0x9e3779b97f4a7c15u;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
  return value ^ (value >> 31);
}

uint64_t row_key(uint32_t seed, int32_t z, int32_t y) {
  const uint64_t place = static_cast<uint64_t>(static_cast<uint32_t>(z)) << 32 | static_cast<uint32_t>(y);
  return mixed64(mixed64(seed) ^ place);
}

// The sum of four random bytes less its mean: near enough to a Gaussian, and bounded, so that noise alone is never a cell.
inline int32_t noise_at(uint32_t x, uint32_t key, uint32_t other_key) {
  uint32_t h = x * 0x9e3779b9u + key;
  h = (h ^ (h >> 16)) * 0x7feb352du ^ other_key;
  h = (h ^ (h >> 15)) * 0x846ca68bu;
  h ^= h >> 16;
  const uint32_t pairs = (h & 0x00ff00ffu) + ((h >> 8) & 0x00ff00ffu);
  return static_cast<int32_t>((pairs & 0xffffu) + (pairs >> 16)) - 510;
}

void background_row(const double* __restrict columns, double level, double noise, uint64_t key, int32_t first,
                    double* __restrict row, size_t count) {
  const uint32_t low = static_cast<uint32_t>(key), high = static_cast<uint32_t>(key >> 32);
  const uint32_t start = static_cast<uint32_t>(first);
  for (size_t i = 0; i < count; ++i)
    row[i] = level + columns[i] + noise * noise_at(start + static_cast<uint32_t>(i), low, high);
}

template <typename T>
void store_row(const double* __restrict row, double scale, T* __restrict into, size_t count) {
  if constexpr (std::is_same_v<T, float>) {
    for (size_t i = 0; i < count; ++i) into[i] = static_cast<float>(row[i] * scale);
  } else {
    constexpr double most = std::numeric_limits<T>::max();
    for (size_t i = 0; i < count; ++i) {
      const double value = row[i] * scale;
      const double bounded = value < 0 ? 0 : value > most ? most : value;
      into[i] = static_cast<T>(static_cast<int32_t>(bounded + 0.5));
    }
  }
}

// The cells that reach into plane z and rows of the region, by y first: so that those of a row are found by moving on.
void gather(const SyntheticScene& scene, const SyntheticRegion& region, int32_t z, std::vector<const SyntheticCell*>& cells) {
  const int32_t deep = static_cast<int32_t>(scene.profile_z.size()), wide = static_cast<int32_t>(scene.profile_yx.size());
  cells.clear();
  const auto before = [](const SyntheticCell& cell, int32_t plane) { return cell.z < plane; };
  auto cell = std::lower_bound(scene.cells.begin(), scene.cells.end(), z - deep + 1, before);
  for (; cell != scene.cells.end() && cell->z < z + deep; ++cell) {
    if (cell->y <= region.y[0] - wide || cell->y >= region.y[1] - 1 + wide) continue;
    if (cell->x <= region.x[0] - wide || cell->x >= region.x[1] - 1 + wide) continue;
    cells.push_back(&*cell);
  }
  // Where cells overlap their sum depends on the order; this one is the same whatever the region.
  std::sort(cells.begin(), cells.end(), [](const SyntheticCell* a, const SyntheticCell* b) {
    return std::tie(a->y, a->z, a->x) < std::tie(b->y, b->z, b->x);
  });
}

void add_cell(const SyntheticScene& scene, const SyntheticCell& cell, int32_t z, int32_t y, const SyntheticRegion& region,
              double* row) {
  const int32_t wide = static_cast<int32_t>(scene.profile_yx.size());
  const double level = cell.amplitude * scene.profile_z[std::abs(cell.z - z)] * scene.profile_yx[std::abs(cell.y - y)];
  const int32_t first = std::max(region.x[0], cell.x - wide + 1), end = std::min(region.x[1], cell.x + wide);
  for (int32_t x = first; x < end; ++x) row[x - region.x[0]] += level * scene.profile_yx[std::abs(cell.x - x)];
}

}  // namespace

template <typename T>
void fill_synthetic(const SyntheticScene& scene, const SyntheticRegion& region, T* into, const std::atomic<bool>& stop) {
  const int32_t wide = static_cast<int32_t>(scene.profile_yx.size());
  const size_t width = static_cast<size_t>(region.x[1] - region.x[0]);
  std::vector<double> row(width);
  std::vector<const SyntheticCell*> cells;
  for (int32_t z = region.z[0]; z < region.z[1]; ++z) {
    gather(scene, region, z, cells);
    auto reached = cells.begin();
    for (int32_t y = region.y[0]; y < region.y[1]; ++y) {
      if (stop.load(std::memory_order_relaxed)) return;
      background_row(scene.columns.data() + region.x[0], scene.rows[static_cast<size_t>(y)], scene.noise,
                     row_key(scene.seed, z, y), region.x[0], row.data(), width);
      while (reached != cells.end() && (*reached)->y <= y - wide) ++reached;
      for (auto cell = reached; cell != cells.end() && (*cell)->y < y + wide; ++cell)
        add_cell(scene, **cell, z, y, region, row.data());
      store_row(row.data(), scene.scale, into, width);
      into += width;
    }
  }
}

template void fill_synthetic(const SyntheticScene&, const SyntheticRegion&, uint8_t*, const std::atomic<bool>&);
template void fill_synthetic(const SyntheticScene&, const SyntheticRegion&, uint16_t*, const std::atomic<bool>&);
template void fill_synthetic(const SyntheticScene&, const SyntheticRegion&, float*, const std::atomic<bool>&);

}  // namespace somaflow
