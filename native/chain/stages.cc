// The steps that make images, each by its kernel.
#include <memory>
#include <optional>
#include <type_traits>
#include <variant>
#include <vector>

#include "chain/equalize_stage.h"
#include "chain/images.h"
#include "chain/stage.h"
#include "kernels/dog.h"
#include "kernels/illumination.h"
#include "kernels/opening.h"
#include "kernels/opening_tiles.h"
#include "kernels/rows.h"

namespace somaflow {

namespace {

// The rows and columns that a plane has, as kernels take them.
PlaneBox box_of(const ImagePlane& plane) {
  return {plane.rows.start, plane.rows.stop, plane.columns.start, plane.columns.stop};
}

template <typename T>
class OpeningStage final : public Stage {
 public:
  OpeningStage(const ChainConfig& config, const ImageConfig& image, const OpeningStep& step)
      : config_(config), image_(image), plan_(step.element, sizeof(T)) {
    const std::optional<double> limit = config.counts_above(static_cast<int32_t>(&image - config.images.data()));
    if (limit) limit_ = limit_of<T>(*limit).value;
  }

  size_t scratch_bytes() const override { return plan_.scratch_bytes(); }

  void make(const Images& images, int32_t z, Span rows, ImagePlane out, std::byte* scratch) const override {
    const ImagePlane source = images.plane(image_.from, z);
    const Span columns = image_.x;
    if constexpr (std::is_integral_v<T>) {
      if (limit_) {
        subtract_opening_above<T>(config_.target, plan_, reinterpret_cast<const T*>(source.data), source.stride, box_of(source),
                                  config_.height, config_.width, {rows.start, rows.stop, columns.start, columns.stop},
                                  out.row<T>(rows.start) + columns.start, out.stride, scratch, *limit_);
        return;
      }
    }
    subtract_opening<T>(config_.target, plan_, reinterpret_cast<const T*>(source.data), source.stride, box_of(source),
                        config_.height, config_.width, {rows.start, rows.stop, columns.start, columns.stop},
                        out.row<T>(rows.start) + columns.start, out.stride, scratch);
  }

 private:
  const ChainConfig& config_;
  const ImageConfig& image_;
  const OpeningPlan plan_;
  std::optional<T> limit_;  // what is not above it may be 0
};

template <typename T>
class DogStage final : public Stage {
 public:
  DogStage(const ChainConfig& config, const ImageConfig& image, const DogStep& step)
      : config_(config), image_(image), plan_(step.options) {}

  size_t scratch_bytes() const override { return plan_.scratch_bytes(); }

  void make(const Images& images, int32_t z, Span rows, ImagePlane out, std::byte* scratch) const override {
    std::vector<const T*> planes;
    const int32_t first = z - plan_.z().before();
    for (int32_t at = first; at < first + plan_.z().size; ++at) {
      const int64_t inside = reflected(at, images.end(image_.from));
      planes.push_back(reinterpret_cast<const T*>(images.plane(image_.from, static_cast<int32_t>(inside)).data));
    }
    const ImagePlane source = images.plane(image_.from, z);
    const Span columns = image_.x;
    subtract_gaussians<T>(config_.target, plan_, planes.data(), source.stride, box_of(source), config_.height, config_.width,
                          {rows.start, rows.stop, columns.start, columns.stop}, out.row<float>(rows.start) + columns.start,
                          out.stride, scratch);
  }

 private:
  const ChainConfig& config_;
  const ImageConfig& image_;
  const DogPlan plan_;
};

template <typename T>
class IlluminationStage final : public Stage {
 public:
  IlluminationStage(const ChainConfig& config, const ImageConfig& image, const IlluminationStep& step)
      : config_(config), image_(image), plan_{step.flatfield, step.background, config.width, step.scaling} {}

  size_t scratch_bytes() const override { return 0; }

  void make(const Images& images, int32_t z, Span rows, ImagePlane out, std::byte*) const override {
    const ImagePlane source = images.plane(image_.from, z);
    const Span columns = image_.x;
    correct_illumination<T>(config_.target, plan_, reinterpret_cast<const T*>(source.data), source.stride, box_of(source),
                            {rows.start, rows.stop, columns.start, columns.stop}, out.row<T>(rows.start) + columns.start,
                            out.stride);
  }

 private:
  const ChainConfig& config_;
  const ImageConfig& image_;
  const IlluminationPlan plan_;
};

template <typename T>
std::unique_ptr<Stage> stage_of(const ChainConfig& config, const ImageConfig& image) {
  if (const auto* step = std::get_if<DogStep>(&image.step)) return std::make_unique<DogStage<T>>(config, image, *step);
  if (const auto* step = std::get_if<IlluminationStep>(&image.step))
    return std::make_unique<IlluminationStage<T>>(config, image, *step);
  if (const auto* step = std::get_if<EqualizeStep>(&image.step))
    return std::make_unique<EqualizeStage<T>>(config, image, *step);
  return std::make_unique<OpeningStage<T>>(config, image, std::get<OpeningStep>(image.step));
}

}  // namespace

std::unique_ptr<Stage> make_stage(const ChainConfig& config, const ImageConfig& image) {
  const Dtype from = config.images[static_cast<size_t>(image.from)].dtype;
  return with_type(from, [&]<typename T>() { return stage_of<T>(config, image); });
}

}  // namespace somaflow
