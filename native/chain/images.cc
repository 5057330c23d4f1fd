#include "chain/images.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "kernels/rows.h"
#include "runtime/pool.h"

namespace somaflow {

namespace {

constexpr size_t kAlign = 64;

size_t rounded(size_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

// Voxels from row to row of a ring. Strides that are multiples of 4 KiB would put neighbouring rows into one
// cache set, so it is an odd number of cache lines.
size_t stride_of(const ImageConfig& image) {
  const size_t line = kAlign / bytes_of(image.dtype);
  const size_t lines = (static_cast<size_t>(image.x.size()) + line - 1) / line;
  return (lines | 1) * line;
}

size_t plane_bytes(const ImageConfig& image) {
  return stride_of(image) * static_cast<size_t>(image.y.size()) * bytes_of(image.dtype);
}

size_t scratch_of(const ChainConfig& config) {
  size_t bytes = 0;
  for (const ImageConfig& image : config.images)
    if (image.from >= 0) bytes = std::max(bytes, rounded(make_stage(config, image)->scratch_bytes()));
  return bytes;
}

size_t packed_bytes(Span y, Span x, Dtype dtype) {
  return static_cast<size_t>(y.size()) * static_cast<size_t>(x.size()) * bytes_of(dtype);
}

}  // namespace

int cut_bands(const ChainConfig& config, Span rows, int planes, int width) {
  constexpr int kLeastRows = 64;
  constexpr int64_t kMostVoxels = int64_t{4} << 20;
  const int bands = width <= 1 ? 1 : (2 * width + planes - 1) / planes;
  const int wanted = std::max((rows.size() + bands - 1) / bands, kLeastRows);
  return static_cast<int>(std::clamp<int64_t>(kMostVoxels / std::max(1, config.read.x.size()), 1, wanted));
}

std::vector<size_t> Images::input_bytes(const ChainConfig& config) {
  const size_t planes = static_cast<size_t>(config.source_planes());
  std::vector<size_t> bytes;
  for (const ImageConfig& image : config.images)
    if (image.from < 0) bytes.push_back(rounded(packed_bytes(image.y, image.x, image.dtype) * planes));
  const TissueConfig& tissue = config.tissue;
  if (tissue.asked) bytes.push_back(rounded(packed_bytes(tissue.y, tissue.x, tissue.dtype) * planes));
  return bytes;
}

size_t Images::workspace_bytes(const ChainConfig& config, int width) {
  size_t bytes = static_cast<size_t>(std::max(1, width)) * scratch_of(config);
  for (size_t i = 0; i < config.images.size(); ++i) {
    if (config.images[i].from < 0) continue;
    const int32_t planes = config.planes_behind(static_cast<int32_t>(i)) + config.batch_planes;
    bytes += rounded(plane_bytes(config.images[i])) * static_cast<size_t>(planes);
  }
  return bytes;
}

Images::Images(const ChainConfig& config, std::vector<std::byte*> inputs, std::byte* workspace)
    : config_(config),
      scratch_(workspace),
      scratch_bytes_(scratch_of(config)),
      arrived_(config.read.z.start),
      end_(std::numeric_limits<int32_t>::max()) {
  size_t input = 0;
  for (size_t i = 0; i < config.images.size(); ++i) {
    const ImageConfig& image = config.images[i];
    made_.push_back(image.z.start);
    stages_.push_back(image.from < 0 ? nullptr : make_stage(config, image));
    if (image.from < 0) {
      rings_.push_back({inputs.at(input++), packed_bytes(image.y, image.x, image.dtype), image.x.size(),
                        config.source_planes(), image.z, image.y, image.x});
      continue;
    }
    const int32_t planes = config.planes_behind(static_cast<int32_t>(i)) + config.batch_planes;
    const size_t bytes = rounded(plane_bytes(image));
    rings_.push_back({scratch_, bytes, static_cast<ptrdiff_t>(stride_of(image)), planes, image.z, image.y, image.x});
    scratch_ += bytes * static_cast<size_t>(planes);
  }
  const TissueConfig& tissue = config.tissue;
  if (tissue.asked)
    tissue_ = {inputs.at(input), packed_bytes(tissue.y, tissue.x, tissue.dtype), tissue.x.size(), config.source_planes(),
               config.core.z, tissue.y, tissue.x};
}

ImagePlane Images::plane_of(const Ring& ring, int32_t z) const {
  if (!ring.z.holds(z) || z >= end_) return {};
  const size_t slot = static_cast<size_t>((z - config_.read.z.start) % ring.planes);
  return {ring.data + slot * ring.plane_bytes, ring.stride, ring.y, ring.x};
}

ImagePlane Images::plane(int32_t image, int32_t z) const { return plane_of(rings_[static_cast<size_t>(image)], z); }

ImagePlane Images::tissue(int32_t z) const { return plane_of(tissue_, z); }

void Images::arrive(int32_t arrived, bool last, int width, const std::atomic<bool>& stop) {
  arrived_ = arrived;
  if (last) end_ = arrived;
  for (int32_t i = 0; i < static_cast<int32_t>(config_.images.size()); ++i) {
    const ImageConfig& image = config_.images[static_cast<size_t>(i)];
    if (image.from >= 0) continue;
    int32_t& made = made_[static_cast<size_t>(i)];
    const int32_t to = std::min(arrived, image.z.stop);
    if (image.dtype == Dtype::f32 && to > made) check(i, made, to, width, stop);
    made = std::max(made, to);
  }
}

bool Images::advance(int width, const std::atomic<bool>& stop) {
  bool any = false;
  for (int32_t i = 0; i < static_cast<int32_t>(config_.images.size()); ++i) {
    const ImageConfig& image = config_.images[static_cast<size_t>(i)];
    if (image.from < 0) continue;
    int32_t& made = made_[static_cast<size_t>(i)];
    int32_t ready = end(i);
    for (const int32_t input : config_.inputs_of(image))
      if (input >= 0 && !complete(input)) ready = std::min(ready, this->made(input) - image.window_z.after);
    const int32_t to = std::min(ready, made + config_.batch_planes);
    if (to <= made) continue;
    make(i, made, to, width, stop);
    if (stop.load(std::memory_order_relaxed)) return false;
    made = to;
    any = true;
  }
  return any;
}

void Images::make(int32_t image, int32_t from, int32_t to, int width, const std::atomic<bool>& stop) {
  Stage& stage = *stages_[static_cast<size_t>(image)];
  const Span rows = config_.images[static_cast<size_t>(image)].y;
  const int band_rows = cut_bands(config_, rows, to - from, width);
  const int bands = (rows.size() + band_rows - 1) / band_rows;
  stage.prepare(*this, from, to, width, stop, scratch_, scratch_bytes_);
  if (stop.load(std::memory_order_relaxed)) return;
  Pool::instance().parallel_for(width, (to - from) * bands, stop, [&](int item, int lane) {
    const int32_t z = from + item / bands;
    const int32_t start = rows.start + item % bands * band_rows;
    stage.make(*this, z, {start, std::min(start + band_rows, rows.stop)}, plane(image, z),
               scratch_ + static_cast<size_t>(lane) * scratch_bytes_);
  });
}

// -0 becomes 0, so that equal values have equal bits and no order of minima and maxima shows.
void Images::check(int32_t image, int32_t from, int32_t to, int width, const std::atomic<bool>& stop) {
  const Ring& ring = rings_[static_cast<size_t>(image)];
  const size_t columns = static_cast<size_t>(ring.x.size()), rows = static_cast<size_t>(ring.y.size());
  constexpr int64_t none = std::numeric_limits<int64_t>::max();
  std::atomic<int64_t> first{none};
  Pool::instance().parallel_for(width, to - from, stop, [&](int item, int) {
    ImagePlane plane = plane_of(ring, from + item);
    float* const voxels = plane.row<float>(ring.y.start) + ring.x.start;
    const size_t at = find_not_finite(config_.target, voxels, rows * columns);
    if (at == rows * columns) return;
    const int64_t found = static_cast<int64_t>(static_cast<size_t>(item) * rows * columns + at);
    int64_t known = first.load();
    while (found < known && !first.compare_exchange_weak(known, found)) {}
  });
  if (first.load() == none) return;
  const size_t at = static_cast<size_t>(first.load()) % (rows * columns);
  const int32_t z = from + static_cast<int32_t>(static_cast<size_t>(first.load()) / (rows * columns));
  const int32_t y = ring.y.start + static_cast<int32_t>(at / columns), x = ring.x.start + static_cast<int32_t>(at % columns);
  const float value = std::as_const(*this).plane(image, z).row<float>(y)[x];
  const std::string& name = config_.images[static_cast<size_t>(image)].name;
  throw std::runtime_error((name.empty() ? "" : name + ": ") + "voxel z " + std::to_string(z) + ", y " + std::to_string(y) + ", x " + std::to_string(x) +
                           ", expected a finite number, got " + (std::isnan(value) ? "NaN" : value > 0 ? "infinity" : "-infinity"));
}

void Images::copy(int32_t image, int32_t from, int32_t to, std::byte* into) const {
  const Box& core = config_.core;
  const Dtype dtype = config_.images[static_cast<size_t>(image)].dtype;
  const size_t row_bytes = static_cast<size_t>(core.x.size()) * bytes_of(dtype);
  for (int32_t z = from; z < to; ++z) {
    const ImagePlane source = plane(image, z);
    for (int32_t y = core.y.start; y < core.y.stop; ++y, into += row_bytes) {
      with_type(dtype, [&]<typename T>() { std::memcpy(into, source.row<T>(y) + core.x.start, row_bytes); });
    }
  }
}

}  // namespace somaflow
