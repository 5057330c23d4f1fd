#include "chain/equalize_stage.h"

#include <algorithm>

#include "runtime/pool.h"

namespace somaflow {

namespace {

EqualizePlan plan_of(const ChainConfig& config, const EqualizeStep& step) {
  return {step.percentiles,
          step.max_value,
          step.interpolation,
          SampleAxis(config.depth, step.spacing[0], step.window[0]),
          SampleAxis(config.height, step.spacing[1], step.window[1]),
          SampleAxis(config.width, step.spacing[2], step.window[2])};
}

}  // namespace

template <typename T>
EqualizeStage<T>::EqualizeStage(const ChainConfig& config, const ImageConfig& image, const EqualizeStep& step)
    : config_(config),
      image_(image),
      mask_(step.mask),
      plan_(plan_of(config, step)),
      rows_(plan_.y().centers({image.y.start, image.y.stop})),
      columns_(plan_.x().centers({image.x.start, image.x.stop})) {}

template <typename T>
size_t EqualizeStage<T>::scratch_bytes() const {
  return std::max(plan_.scratch_bytes(), percentile_scratch_bytes<T>());
}

template <typename T>
void EqualizeStage<T>::prepare(const Images& images, int32_t from, int32_t to, int width, const std::atomic<bool>& stop,
                               std::byte* scratch, size_t scratch_stride) {
  const int64_t first = plan_.level_cell(from).lower, last = plan_.level_cell(to - 1).upper;
  while (!levels_.empty() && levels_.begin()->first < first) levels_.erase(levels_.begin());
  for (int64_t level = first; level <= last && !stop.load(std::memory_order_relaxed); ++level)
    if (!levels_.contains(level)) compute(images, level, width, stop, scratch, scratch_stride);
}

template <typename T>
void EqualizeStage<T>::compute(const Images& images, int64_t level, int width, const std::atomic<bool>& stop,
                               std::byte* scratch, size_t scratch_stride) {
  const size_t across = static_cast<size_t>(columns_.end - columns_.begin);
  const size_t count = static_cast<size_t>(rows_.end - rows_.begin) * across;
  Level& grid = levels_[level];
  grid.low.resize(count);
  grid.high.resize(count);
  const Stretch window = plan_.z().window(level);
  std::vector<const void*> planes, masks;
  for (int64_t z = window.begin; z < window.end; ++z) {
    planes.push_back(images.plane(image_.from, static_cast<int32_t>(z)).data);
    if (mask_ >= 0) masks.push_back(images.plane(mask_, static_cast<int32_t>(z)).data);
  }
  const auto window_planes = [&](int32_t image, const std::vector<const void*>& all) {
    const ImagePlane any = images.plane(image, static_cast<int32_t>(window.begin));
    const PlaneBox have{any.rows.start, any.rows.stop, any.columns.start, any.columns.stop};
    return WindowPlanes{all.data(), static_cast<int>(all.size()), any.stride, have};
  };
  const WindowPlanes image = window_planes(image_.from, planes);
  WindowMask mask{};
  if (mask_ >= 0) mask = {config_.images[static_cast<size_t>(mask_)].dtype, window_planes(mask_, masks)};
  Pool::instance().parallel_for(width, static_cast<int>(rows_.end - rows_.begin), stop, [&](int item, int lane) {
    const size_t at = static_cast<size_t>(item) * across;
    percentile_row<T>(plan_.percentiles(), image, mask_ >= 0 ? &mask : nullptr, plan_.y().window(rows_.begin + item),
                      plan_.x(), columns_, grid.low.data() + at, grid.high.data() + at,
                      scratch + static_cast<size_t>(lane) * scratch_stride);
  });
}

template <typename T>
PercentileGrid EqualizeStage<T>::grid(int64_t level) const {
  const Level& values = levels_.at(level);
  return {values.low.data(), values.high.data(), columns_.end - columns_.begin, rows_.begin, columns_.begin};
}

template <typename T>
void EqualizeStage<T>::make(const Images& images, int32_t z, Span rows, ImagePlane out, std::byte* scratch) const {
  const ImagePlane source = images.plane(image_.from, z);
  const Span columns = image_.x;
  const SampleCell cell = plan_.level_cell(z);
  equalize_rows<T>(config_.target, plan_, z, grid(cell.lower), grid(cell.upper), reinterpret_cast<const T*>(source.data),
                   source.stride, {source.rows.start, source.rows.stop, source.columns.start, source.columns.stop},
                   {rows.start, rows.stop, columns.start, columns.stop}, out.row<float>(rows.start) + columns.start, out.stride,
                   scratch);
}

template class EqualizeStage<uint8_t>;
template class EqualizeStage<uint16_t>;
template class EqualizeStage<float>;

}  // namespace somaflow
