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

// Whether native code makes it.
bool is_made(const ImageConfig& image) { return image.from >= 0 && image.external() == nullptr; }

size_t scratch_of(const ChainConfig& config) {
  size_t bytes = 0;
  for (const ImageConfig& image : config.images)
    if (is_made(image)) bytes = std::max(bytes, rounded(make_stage(config, image)->scratch_bytes()));
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

std::vector<ExternalNeeds> Images::external_needs(const ChainConfig& config) {
  std::vector<ExternalNeeds> needs;
  const auto ring = [&](int32_t image, int32_t planes) {
    const ImageConfig& of = config.images[static_cast<size_t>(image)];
    return ExternalRing{image, planes, rounded(packed_bytes(of.y, of.x, of.dtype) * static_cast<size_t>(planes))};
  };
  for (int32_t i = 0; i < static_cast<int32_t>(config.images.size()); ++i) {
    const ImageConfig& image = config.images[static_cast<size_t>(i)];
    if (image.external() == nullptr) continue;
    needs.push_back({ring(i, config.planes_behind(i) + config.batch_planes), {}});
    for (const int32_t input : config.inputs_of(image))
      needs.back().windows.push_back(ring(input, image.window_z.size() - 1 + config.batch_planes));
  }
  return needs;
}

size_t Images::workspace_bytes(const ChainConfig& config, int width) {
  size_t bytes = static_cast<size_t>(std::max(1, width)) * scratch_of(config);
  for (size_t i = 0; i < config.images.size(); ++i) {
    if (!is_made(config.images[i])) continue;
    const int32_t planes = config.planes_behind(static_cast<int32_t>(i)) + config.batch_planes;
    bytes += rounded(plane_bytes(config.images[i])) * static_cast<size_t>(planes);
  }
  return bytes;
}

Images::Images(const ChainConfig& config, std::vector<std::byte*> inputs, std::vector<std::byte*> external, std::byte* workspace)
    : config_(config),
      scratch_(workspace),
      scratch_bytes_(scratch_of(config)),
      arrived_(config.read.z.start),
      end_(std::numeric_limits<int32_t>::max()) {
  const int32_t first = config.read.z.start;
  const std::vector<ExternalNeeds> needs = external_needs(config);
  size_t input = 0, of_external = 0, external_ring = 0;
  for (size_t i = 0; i < config.images.size(); ++i) {
    const ImageConfig& image = config.images[i];
    const size_t packed = packed_bytes(image.y, image.x, image.dtype);
    made_.push_back(image.z.start);
    stages_.push_back(is_made(image) ? make_stage(config, image) : nullptr);
    copies_.emplace_back();
    if (image.from < 0) {
      rings_.push_back({inputs.at(input++), packed, image.x.size(), config.source_planes(), image.z, image.y, image.x, first});
    } else if (image.external() != nullptr) {
      const auto& [result, windows] = needs.at(of_external++);
      rings_.push_back({external.at(external_ring++), packed, image.x.size(), result.planes, image.z, image.y, image.x, 0});
      for (const ExternalRing& window : windows) {
        const Span z = grown(image.z, image.window_z, config.images[static_cast<size_t>(window.image)].z);
        copies_.back().push_back({window.image, external.at(external_ring++), window.planes, z.start});
      }
    } else {
      const int32_t planes = config.planes_behind(static_cast<int32_t>(i)) + config.batch_planes;
      const size_t bytes = rounded(plane_bytes(image));
      rings_.push_back({scratch_, bytes, static_cast<ptrdiff_t>(stride_of(image)), planes, image.z, image.y, image.x, first});
      scratch_ += bytes * static_cast<size_t>(planes);
    }
  }
  const TissueConfig& tissue = config.tissue;
  if (tissue.asked)
    tissue_ = {inputs.at(input), packed_bytes(tissue.y, tissue.x, tissue.dtype), tissue.x.size(), config.source_planes(),
               config.core.z, tissue.y, tissue.x, first};
}

ImagePlane Images::plane_of(const Ring& ring, int32_t z) const {
  if (!ring.z.holds(z) || z >= end_) return {};
  const size_t slot = static_cast<size_t>((z - ring.first) % ring.planes);
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

Images::Turn Images::advance(int width, const std::atomic<bool>& stop) {
  for (; next_ < config_.images.size(); ++next_) {
    const int32_t image = static_cast<int32_t>(next_);
    const ImageConfig& made = config_.images[next_];
    if (made.from < 0) continue;
    int32_t ready = end(image);
    for (const int32_t input : config_.inputs_of(made))
      if (!complete(input)) ready = std::min(ready, this->made(input) - made.window_z.after);
    const int32_t from = this->made(image), to = std::min(ready, from + config_.batch_planes);
    if (to <= from) continue;
    if (made.external() != nullptr) {
      copy_windows(image, to, width, stop);
      return Turn::waits;
    }
    make(image, from, to, width, stop);
    if (stop.load(std::memory_order_relaxed)) return Turn::ended;
    made_[next_] = to;
    any_ = true;
  }
  next_ = 0;
  return std::exchange(any_, false) ? Turn::more : Turn::ended;
}

void Images::copy_windows(int32_t image, int32_t to, int width, const std::atomic<bool>& stop) {
  const ImageConfig& made = config_.images[static_cast<size_t>(image)];
  wanted_ = {image, this->made(image), to, std::numeric_limits<int32_t>::max()};
  for (Copies& copies : copies_[static_cast<size_t>(image)]) {
    const ImageConfig& input = config_.images[static_cast<size_t>(copies.image)];
    const int32_t from = copies.copied, stop_z = std::min(to + made.window_z.after, end(copies.image));
    const size_t bytes = packed_bytes(input.y, input.x, input.dtype);
    wanted_.end = std::min(wanted_.end, end(copies.image));
    if (stop_z <= from) continue;
    Pool::instance().parallel_for(width, stop_z - from, stop, [&](int item, int) {
      const int32_t z = from + item;
      copy(copies.image, z, input.y, input.x, copies.data + static_cast<size_t>(z % copies.planes) * bytes);
    });
    copies.copied = stop_z;
  }
}

void Images::come(int width, const std::atomic<bool>& stop) {
  if (config_.images[next_].dtype == Dtype::f32) check(wanted_.image, wanted_.from, wanted_.to, width, stop);
  made_[next_++] = wanted_.to;
  any_ = true;
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

void Images::copy(int32_t image, int32_t z, Span rows, Span columns, std::byte* into) const {
  const ImagePlane source = plane(image, z);
  with_type(config_.images[static_cast<size_t>(image)].dtype, [&]<typename T>() {
    const size_t row_bytes = static_cast<size_t>(columns.size()) * sizeof(T);
    for (int32_t y = rows.start; y < rows.stop; ++y, into += row_bytes)
      std::memcpy(into, source.row<T>(y) + columns.start, row_bytes);
  });
}

}  // namespace somaflow
