#include "chain/windows.h"

#include <algorithm>
#include <cstring>

#include "runtime/pool.h"

namespace somaflow {

namespace {

// Enough windows at a time that calls cost nothing beside them, and few enough that they stay in cache.
constexpr size_t kBytesTogether = size_t{1} << 20;

size_t window_bytes(const ChainConfig& config, const AroundConfig& around) {
  return around.voxels() * bytes_of(config.images[static_cast<size_t>(around.image)].dtype);
}

}  // namespace

size_t Windows::bytes(const ChainConfig& config, const std::vector<AroundConfig>& kinds) {
  size_t bytes = kinds.empty() ? 0 : kBytesTogether;
  for (const AroundConfig& around : kinds) bytes = std::max(bytes, window_bytes(config, around));
  return bytes;
}

Windows::Windows(const std::vector<AroundConfig>& kinds, const ChainConfig& config, const Images& images, std::byte* memory)
    : kinds_(kinds), config_(config), images_(images), memory_(memory), bytes_(bytes(config, kinds)) {}

void Windows::begin(const std::vector<Seed>& seeds) {
  seeds_ = &seeds;
  kind_ = first_ = 0;
  values_.assign(seeds.size() * kinds_.size(), 0);
}

bool Windows::next(int width, const std::atomic<bool>& stop) {
  if (seeds_ == nullptr || seeds_->empty() || kind_ == kinds_.size()) return false;
  const AroundConfig& around = kinds_[kind_];
  const size_t bytes = window_bytes(config_, around);
  wanted_ = {kind_, std::min(seeds_->size() - first_, bytes_ / bytes), seeds_->data() + first_, images_.end(around.image)};
  constexpr size_t kTogether = 64;
  Pool::instance().parallel_for(width, static_cast<int>((wanted_.count + kTogether - 1) / kTogether), stop, [&](int item, int) {
    const size_t begin = static_cast<size_t>(item) * kTogether;
    for (size_t i = begin; i < std::min(begin + kTogether, wanted_.count); ++i)
      copy(wanted_.centers[i], around, memory_ + i * bytes);
  });
  return true;
}

void Windows::come(const double* values) {
  for (size_t i = 0; i < wanted_.count; ++i) values_[(first_ + i) * kinds_.size() + kind_] = values[i];
  first_ += wanted_.count;
  if (first_ < seeds_->size()) return;
  first_ = 0;
  ++kind_;
}

void Windows::copy(const Seed& seed, const AroundConfig& around, std::byte* into) const {
  const ImageConfig& image = config_.images[static_cast<size_t>(around.image)];
  std::memset(into, 0, window_bytes(config_, around));
  with_type(image.dtype, [&]<typename T>() {
    const Span columns = grown({seed.x, seed.x + 1}, around.x, image.x);
    T* row = reinterpret_cast<T*>(into) + (columns.start - seed.x + around.x.before);
    for (int32_t z = seed.z - around.z.before; z <= seed.z + around.z.after; ++z) {
      const ImagePlane plane = images_.plane(around.image, z);
      for (int32_t y = seed.y - around.y.before; y <= seed.y + around.y.after; ++y, row += around.x.size())
        if (plane.data != nullptr && image.y.holds(y))
          std::memcpy(row, plane.row<T>(y) + columns.start, static_cast<size_t>(columns.size()) * sizeof(T));
    }
  });
}

}  // namespace somaflow
