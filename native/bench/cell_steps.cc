#include "bench/cell_steps.h"

#include <limits>
#include <utility>

#include "bench/rate.h"
#include "chain/components.h"
#include "chain/flood.h"
#include "chain/maxima.h"
#include "chain/prominence.h"
#include "chain/scan.h"

namespace somaflow::bench {

namespace {

constexpr double kNone = std::numeric_limits<double>::infinity();
const std::atomic<bool> never{false};

DetectorConfig detector_of(int32_t window, double seed_threshold) {
  DetectorConfig detector;
  detector.channels = {1};
  detector.window_z = detector.window_y = detector.window_x = {window / 2, window - 1 - window / 2};
  detector.seed_threshold = seed_threshold;
  detector.rules.channels = {Dtype::u16, Dtype::u16};
  return detector;
}

void set_mask(DetectorConfig& detector, double threshold) {
  detector.shape = true;
  detector.mask_threshold = threshold;
}

// Calls each(band) for every plane, looked at as one band.
template <typename Each>
void look(const ChainConfig& config, const DetectorConfig& detector, const Images& images, const Tissue& tissue, const Each& each) {
  const auto scan = make_scan(config, detector, images, tissue, config.core.x);
  Band band;
  band.rows = config.core.y;
  for (band.z = 0; band.z < config.depth; ++band.z) {
    scan->look(band);
    each(band);
  }
}

}  // namespace

CellSteps::CellSteps(Volume<uint16_t>& image, Volume<uint16_t>& measured, Target target) {
  config_.target = target;
  config_.depth = image.depth;
  config_.height = image.height;
  config_.width = image.width;
  config_.core = config_.read = {{0, image.depth}, {0, image.height}, {0, image.width}};
  ImageConfig input;
  input.z = config_.core.z;
  input.y = config_.core.y;
  input.x = config_.core.x;
  config_.images = {input, input};
  // Batches as deep as the volume make rings in which every plane has a place of its own, in order.
  config_.batch_planes = image.depth;
  const auto memory = [](Volume<uint16_t>& volume) { return reinterpret_cast<std::byte*>(volume.voxels.data()); };
  images_ = std::make_unique<Images>(config_, std::vector{memory(image), memory(measured)}, std::vector<std::byte*>{}, nullptr);
  images_->arrive(image.depth, true, 1, never);
  tissue_.emplace(config_, *images_);
}

double CellSteps::maxima(int32_t window, double threshold, std::optional<double> height) const {
  constexpr int32_t reach = 16;
  DetectorConfig detector = detector_of(window, threshold);
  if (height) detector.prominence = ProminenceConfig{*height, reach, reach, reach};
  return seconds_of([&] {
    found_ = 0;
    for (const std::vector<Seed>& plane : seeds(detector)) found_ += plane.size();
  });
}

std::vector<std::vector<Seed>> CellSteps::seeds(const DetectorConfig& detector) const {
  Maxima maxima(config_.core, detector, config_.core.y);
  std::optional<Prominence> prominence;
  if (detector.prominence) prominence.emplace(config_, detector, *images_);
  std::vector<std::vector<Seed>> planes;
  look(config_, detector, *images_, *tissue_, [&](Band& band) {
    planes.emplace_back();
    maxima.add_plane(band.z, std::move(band.peaks), planes.back());
    if (prominence) prominence->keep(band.z, planes.back(), 1, never);
  });
  return planes;
}

double CellSteps::runs(double threshold) const {
  DetectorConfig detector = detector_of(5, kNone);
  set_mask(detector, threshold);
  return seconds_of([&] {
    found_ = 0;
    look(config_, detector, *images_, *tissue_, [&](const Band& band) { found_ += band.mask.runs.size(); });
  });
}

double CellSteps::watershed(double threshold) const {
  const std::vector<std::vector<Seed>> seeds = this->seeds(detector_of(5, threshold));
  DetectorConfig detector = detector_of(5, kNone);
  set_mask(detector, threshold);
  return seconds_of([&] {
    Components components(config_, detector.rules);
    std::vector<Component> closed;
    FloodOutput out;
    const auto flood = [&] {
      for (Component& component : closed) {
        if (component.seeds.empty()) continue;
        const ComponentView view{component.runs.data(), component.runs.size(), component.values.data(), component.seeds.data(),
                                 component.seeds.size(), component.seed_values.data()};
        Flood::of_this_thread().divide(view, detector.rules, {config_.depth, config_.height, config_.width}, out, never);
      }
      closed.clear();
    };
    look(config_, detector, *images_, *tissue_, [&](const Band& band) {
      components.add_plane(band.z, {&band.mask}, seeds[static_cast<size_t>(band.z)], {}, closed);
      flood();
    });
    components.take_open(closed, [](const Component&) { return 0; });
    flood();
    found_ = out.rows.size() / detector.rules.row_width();
  });
}

}  // namespace somaflow::bench
