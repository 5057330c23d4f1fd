// Equalizes an image by percentiles of windows around a grid of centers, which is anchored in the whole volume.
#pragma once

#include <map>
#include <vector>

#include "chain/images.h"
#include "chain/stage.h"
#include "kernels/equalize.h"

namespace somaflow {

// The levels of centers that planes lie between are computed once each, when the first plane needs them, and kept as long as any does.
template <typename T>
class EqualizeStage final : public Stage {
 public:
  EqualizeStage(const ChainConfig& config, const ImageConfig& image, const EqualizeStep& step);

  size_t scratch_bytes() const override;
  void prepare(const Images& images, int32_t from, int32_t to, int width, const std::atomic<bool>& stop,
               std::byte* scratch, size_t scratch_stride) override;
  void make(const Images& images, int32_t z, Span rows, ImagePlane out, std::byte* scratch) const override;

 private:
  struct Level {
    std::vector<double> low, high;
  };
  void compute(const Images& images, int64_t level, int width, const std::atomic<bool>& stop, std::byte* scratch,
               size_t scratch_stride);
  PercentileGrid grid(int64_t level) const;

  const ChainConfig& config_;
  const ImageConfig& image_;
  const int32_t mask_;
  const EqualizePlan plan_;
  const Stretch rows_, columns_;  // the centers that this image's part of a plane takes from
  std::map<int64_t, Level> levels_;
};

}  // namespace somaflow
