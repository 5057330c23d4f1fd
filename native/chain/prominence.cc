#include "chain/prominence.h"

#include <algorithm>

#include "runtime/pool.h"

namespace somaflow {

Prominence::Prominence(const ChainConfig& config, const DetectorConfig& detector, const Images& images)
    : dtype_(config.images[static_cast<size_t>(detector.image)].dtype),
      image_(detector.image),
      asked_(*detector.prominence),
      images_(images) {}

void Prominence::keep(int32_t z, std::vector<Seed>& seeds, int width, const std::atomic<bool>& stop) {
  if (seeds.empty()) return;
  std::vector<ImagePlane> planes;
  for (int32_t at = z - asked_.reach_z; at <= z + asked_.reach_z; ++at) planes.push_back(images_.plane(image_, at));
  constexpr size_t kTogether = 16;
  lanes_.resize(std::max(lanes_.size(), static_cast<size_t>(std::clamp(width, 1, kMaxWidth))));
  std::vector<uint8_t> kept(seeds.size(), 0);
  const int items = static_cast<int>((seeds.size() + kTogether - 1) / kTogether);
  Pool::instance().parallel_for(width, items, stop, [&](int item, int lane) {
    const size_t first = static_cast<size_t>(item) * kTogether;
    for (size_t i = first; i < std::min(first + kTogether, seeds.size()); ++i)
      kept[i] = with_type(dtype_, [&]<typename T>() { return stands_out<T>(planes, seeds[i], lanes_[static_cast<size_t>(lane)]); });
  });
  size_t count = 0;
  for (size_t i = 0; i < seeds.size(); ++i)
    if (kept[i]) seeds[count++] = seeds[i];
  seeds.resize(count);
}

// Goes on from the greatest voxel first, so that one that beats the maximum is met early.
template <typename T>
bool Prominence::stands_out(const std::vector<ImagePlane>& planes, const Seed& seed, Scratch& scratch) const {
  const ImagePlane& own = planes[static_cast<size_t>(asked_.reach_z)];
  // Within the reach of the core the image ends only where the volume does.
  const Span y = grown({seed.y, seed.y + 1}, {asked_.reach_y, asked_.reach_y}, own.rows);
  const Span x = grown({seed.x, seed.x + 1}, {asked_.reach_x, asked_.reach_x}, own.columns);
  const int32_t columns = x.size(), plane = y.size() * columns;
  const double most = own.row<T>(seed.y)[seed.x], least = most - asked_.height;

  const size_t voxels = planes.size() * static_cast<size_t>(plane);
  if (scratch.seen.size() < voxels || ++scratch.flood == 0) {
    scratch.seen.assign(std::max(voxels, scratch.seen.size()), 0);
    scratch.flood = 1;
  }
  const uint32_t start =
      static_cast<uint32_t>((asked_.reach_z * y.size() + seed.y - y.start) * columns + seed.x - x.start);
  scratch.heap.clear();
  scratch.heap.emplace_back(most, start);
  scratch.seen[start] = scratch.flood;
  while (!scratch.heap.empty()) {
    std::pop_heap(scratch.heap.begin(), scratch.heap.end());
    const int32_t at = static_cast<int32_t>(scratch.heap.back().second);
    scratch.heap.pop_back();
    const int32_t pz = at / plane, py = y.start + at % plane / columns, px = x.start + at % columns;
    for (int32_t nz = std::max(pz - 1, 0); nz <= std::min(pz + 1, static_cast<int32_t>(planes.size()) - 1); ++nz) {
      const ImagePlane& near = planes[static_cast<size_t>(nz)];
      if (near.data == nullptr) continue;
      for (int32_t ny = std::max(py - 1, y.start); ny <= std::min(py + 1, y.stop - 1); ++ny) {
        const T* const row = near.row<T>(ny);
        for (int32_t nx = std::max(px - 1, x.start); nx <= std::min(px + 1, x.stop - 1); ++nx) {
          const uint32_t to = static_cast<uint32_t>((nz * y.size() + ny - y.start) * columns + nx - x.start);
          if (scratch.seen[to] == scratch.flood) continue;
          const double value = row[nx];
          if (value < least) continue;
          if (value > most || (value == most && to < start)) return false;
          scratch.seen[to] = scratch.flood;
          scratch.heap.emplace_back(value, to);
          std::push_heap(scratch.heap.begin(), scratch.heap.end());
        }
      }
    }
  }
  return true;
}

}  // namespace somaflow
