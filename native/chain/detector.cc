#include "chain/detector.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "runtime/pool.h"

namespace somaflow {

namespace {

// The rows and columns of an image's planes on which a detector's peaks are to be known.
Span peak_rows(const ChainConfig& config, const DetectorConfig& detector) {
  return grown(config.core.y, detector.peaks_beyond(detector.window_y), config.images[static_cast<size_t>(detector.image)].y);
}

Span peak_columns(const ChainConfig& config, const DetectorConfig& detector) {
  return grown(config.core.x, detector.peaks_beyond(detector.window_x), config.images[static_cast<size_t>(detector.image)].x);
}

// Sorts rows of numbers, which begin with x, y, z, by z, y, x; says which row came where.
std::vector<size_t> sort_rows(std::vector<double>& rows, size_t width) {
  const size_t count = rows.size() / width;
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const double *p = rows.data() + a * width, *q = rows.data() + b * width;
    return p[2] != q[2] ? p[2] < q[2] : p[1] != q[1] ? p[1] < q[1] : p[0] < q[0];
  });
  std::vector<double> sorted;
  sorted.reserve(rows.size());
  for (const size_t row : order) sorted.insert(sorted.end(), rows.begin() + row * width, rows.begin() + (row + 1) * width);
  rows = std::move(sorted);
  return order;
}

}  // namespace

size_t Detector::sparse_bytes(const ChainConfig& config, const DetectorConfig& detector, int width) {
  if (!detector.shape) return 0;
  // A plane wholly in the mask, its values once as they are found and once in components; then what may be held,
  // closed and on its way out, and the scratch of the largest flood on each lane.
  const size_t core_plane = static_cast<size_t>(config.core.y.size()) * static_cast<size_t>(config.core.x.size());
  const size_t plane = core_plane * detector.rules.voxel_bytes();
  const size_t limit = static_cast<size_t>(config.flood_limit_voxels);
  // The voxels of cells, once as floods leave them and once in the order of the rows.
  const size_t given = !detector.rules.voxels ? 0 : core_plane * detector.rules.given_bytes() * static_cast<size_t>(config.batch_planes) + config.held_limit;
  return 2 * given + 2 * plane * static_cast<size_t>(config.batch_planes) + 2 * config.held_limit +
         static_cast<size_t>(std::max(1, width)) * Flood::scratch_bytes(limit, limit, limit, detector.rules);
}

Detector::Detector(const ChainConfig& config, const DetectorConfig& detector, const Images& images, const Tissue& tissue,
                   std::byte* windows, std::byte* saved, const std::atomic<bool>& stop)
    : config_(config),
      detector_(detector),
      images_(images),
      tissue_(tissue),
      stop_(stop),
      rows_(peak_rows(config, detector)),
      rules_{{config.core.z.start, config.core.y.start, config.core.x.start},
             {config.core.z.stop, config.core.y.stop, config.core.x.stop},
             detector.rules.voxel_bytes(),
             config.fragment_limit,
             static_cast<uint32_t>(detector.rules.seed_values),
             config.depth},
      volume_{config.depth, config.height, config.width},
      scan_(make_scan(config, detector, images, tissue, peak_columns(config, detector))),
      maxima_(config.core, detector, rows_),
      components_(config, detector.rules),
      windows_(detector.around, config, images, windows),
      saved_(saved),
      saved_planes_{config.core.z.start, config.core.z.start},
      joined_(std::max(config.core.z.start - detector.peaks_beyond(detector.window_z).before, config.read.z.start)),
      looked_(joined_) {
  if (detector.prominence) prominence_.emplace(config, detector, images);
  if (detector.radius && !detector.shape) spheres_.emplace(config, detector, images);
}

int32_t Detector::ready() const {
  // Peaks after the core's last plane cannot come before a maximum of the core.
  const int32_t end = config_.core.z.stop;
  const auto there = [&](int32_t image, int32_t after) { return images_.complete(image) ? end : images_.made(image) - after; };
  const int32_t measured = detector_.measured_z();
  int32_t ready = std::min(end, there(detector_.image, std::max(detector_.image_z().after, measured)));
  for (const int32_t channel : detector_.channels) ready = std::min(ready, there(channel, measured));
  for (const AroundConfig& around : detector_.around) ready = std::min(ready, there(around.image, around.z.after));
  return ready;
}

bool Detector::advance(bool last, bool inner_high_z, int width, DetectorOutput& out) {
  const int32_t to = ready();
  while (joined_ < to && !stopped()) {
    // A batch's planes at most are looked at together, so that what is found of them stays small.
    if (looked_ == joined_) look(std::min(to, joined_ + config_.batch_planes), width);
    if (windows_.next(width, stop_)) return false;
    join(width, out);
  }
  if (stopped() || !last || !detector_.shape) return true;
  // Where no core lies behind and nothing behind this one was read, the volume ends.
  if (volume_.depth == 0 && !inner_high_z && images_.made(0) == config_.core.z.stop) volume_.depth = rules_.depth = images_.made(0);
  if (inner_high_z) components_.touch_high_z(config_.core.z.stop - 1);
  components_.take_open(closed_, [](const Component&) { return 0; });
  return true;
}

std::span<const Band> Detector::bands_of(int32_t z) const {
  return {bands_.data() + static_cast<size_t>(z - looked_from_) * plane_bands_, plane_bands_};
}

void Detector::settle(int width, DetectorOutput& out) {
  flood_closed(width, out);
  if (stopped()) return;
  const std::vector<size_t> order = sort_rows(out.rows, detector_.row_width());
  if (!detector_.shape || !detector_.rules.voxels) return;
  out.voxels = out.gathered.sorted(detector_.rules, order);
  out.gathered = CellVoxels();
}

// Finds the peaks and mask runs of planes up to the one before `to`, and the maxima.
void Detector::look(int32_t to, int width) {
  const int band_rows = cut_bands(config_, rows_, to - joined_, width);
  plane_bands_ = static_cast<size_t>((rows_.size() + band_rows - 1) / band_rows);
  const size_t count = static_cast<size_t>(to - joined_) * plane_bands_;
  if (bands_.size() < count) bands_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const int32_t start = rows_.start + static_cast<int32_t>(i % plane_bands_) * band_rows;
    bands_[i].z = joined_ + static_cast<int32_t>(i / plane_bands_);
    bands_[i].rows = {start, std::min(start + band_rows, rows_.stop)};
  }
  Pool::instance().parallel_for(width, static_cast<int>(count), stop_,
                                [&](int item, int) { scan_->look(bands_[static_cast<size_t>(item)]); });
  seeds_.clear();
  looked_from_ = joined_;
  for (looked_ = joined_; looked_ < to && !stopped(); ++looked_) find_seeds(looked_, width);
  windows_.begin(seeds_);
}

void Detector::find_seeds(int32_t z, int width) {
  std::vector<Peak> peaks;
  for (const Band& band : bands_of(z)) peaks.insert(peaks.end(), band.peaks.begin(), band.peaks.end());
  std::vector<Seed> seeds;
  maxima_.add_plane(z, std::move(peaks), seeds);
  if (!config_.core.z.holds(z)) return;
  if (tissue_.asked()) std::erase_if(seeds, [&](const Seed& seed) { return !tissue_.inside(seed.z, seed.y, seed.x); });
  if (prominence_) prominence_->keep(z, seeds, width, stop_);
  if (saved_ != nullptr) save_plane(seeds);
  if (detector_.shape && detector_.seed_threshold < detector_.mask_threshold)
    std::erase_if(seeds, [&](const Seed& seed) { return !is_in_mask(seed); });
  seeds_.insert(seeds_.end(), seeds.begin(), seeds.end());
}

// Leaves 1 where a maximum is and 0 elsewhere.
void Detector::save_plane(const std::vector<Seed>& seeds) {
  const Box& core = config_.core;
  const size_t width = static_cast<size_t>(core.x.size()), voxels = static_cast<size_t>(core.y.size()) * width;
  std::byte* const plane = saved_ + static_cast<size_t>(saved_planes_.size()) * voxels;
  std::memset(plane, 0, voxels);
  for (const Seed& seed : seeds)
    plane[static_cast<size_t>(seed.y - core.y.start) * width + static_cast<size_t>(seed.x - core.x.start)] = std::byte{1};
  ++saved_planes_.stop;
}

bool Detector::is_in_mask(const Seed& seed) const {
  const ImagePlane plane = images_.plane(detector_.image, seed.z);
  const Dtype dtype = config_.images[static_cast<size_t>(detector_.image)].dtype;
  return with_type(dtype, [&]<typename T>() {
    return static_cast<double>(plane.row<T>(seed.y)[seed.x]) > detector_.mask_threshold;
  });
}

// Brings what was found of the planes to the components, or out.
void Detector::join(int width, DetectorOutput& out) {
  for (size_t first = 0; joined_ < looked_ && !stopped(); ++joined_) {
    const size_t begin = first;
    while (first < seeds_.size() && seeds_[first].z == joined_) ++first;
    const auto part = [&]<typename T>(const std::vector<T>& of, size_t numbers) {
      return std::vector<T>(of.begin() + static_cast<ptrdiff_t>(begin * numbers), of.begin() + static_cast<ptrdiff_t>(first * numbers));
    };
    if (config_.core.z.holds(joined_)) join_plane(part(seeds_, 1), part(windows_.values(), detector_.around.size()), width, out);
    size_t closed = 0;
    for (const Component& component : closed_) closed += component.bytes();
    if (closed > config_.held_limit) flood_closed(width, out);
  }
}

void Detector::join_plane(const std::vector<Seed>& seeds, const std::vector<double>& values, int width, DetectorOutput& out) {
  const int32_t z = joined_;
  if (!detector_.shape) return append_centers(seeds, values, z, width, out);
  std::vector<const PlaneMask*> masks;
  for (const Band& band : bands_of(z)) masks.push_back(&band.mask);
  components_.add_plane(z, masks, seeds, values, closed_);
  // After the core's last plane everything leaves anyhow, once it is known whether another core lies behind.
  if (components_.held() <= config_.held_limit || z == config_.core.z.stop - 1) return;
  // Too much is open: it leaves in parts, as if a face of the core lay here, and what follows continues them.
  std::vector<Component> parts;
  int32_t next = fragments_;
  components_.take_open(parts, [&](const Component& part) {
    const int32_t number = next;
    next += fragment_count(part, rules_);
    return number;
  });
  for (const Component& part : parts) append_as_fragments(part, out);
}

// Cells without shapes: the maxima of a plane, what is measured around them, and the numbers that they bring.
void Detector::append_centers(const std::vector<Seed>& seeds, const std::vector<double>& seed_values, int32_t z, int width,
                              DetectorOutput& out) {
  const size_t row_width = detector_.row_width(), numbers = static_cast<size_t>(detector_.rules.seed_values);
  const size_t first = out.rows.size();
  if (spheres_) spheres_->measure(z, seeds, width, stop_, out.rows);
  out.rows.resize(first + seeds.size() * row_width);
  for (size_t i = 0; i < seeds.size(); ++i) {
    double* const row = out.rows.data() + first + i * row_width;
    row[0] = seeds[i].x;
    row[1] = seeds[i].y;
    row[2] = seeds[i].z;
    std::copy_n(seed_values.data() + i * numbers, numbers, row + detector_.measured_width());
  }
}

void Detector::append_as_fragments(const Component& component, DetectorOutput& out) {
  append_fragments(out.fragments, component, fragments_, rules_);
  fragments_ += fragment_count(component, rules_);
}

void Detector::flood_closed(int width, DetectorOutput& out) {
  const auto whole = [&](const Component& component) {
    return component.faces == 0 && component.continues.empty() &&
           component.values.size() / rules_.voxel_bytes <= static_cast<size_t>(config_.flood_limit_voxels);
  };
  std::vector<Component*> floods;
  for (Component& component : closed_) {
    if (!whole(component)) append_as_fragments(component, out);
    else if (!component.seeds.empty()) floods.push_back(&component);
  }
  constexpr size_t kTogether = 32;
  const size_t lanes = static_cast<size_t>(std::clamp(width, 1, kMaxWidth));
  std::vector<FloodOutput> found(lanes);
  Pool::instance().parallel_for(width, static_cast<int>((floods.size() + kTogether - 1) / kTogether), stop_, [&](int item, int lane) {
    const size_t first = static_cast<size_t>(item) * kTogether;
    for (size_t i = first; i < std::min(first + kTogether, floods.size()); ++i) {
      Component& component = *floods[i];
      const ComponentView view{component.runs.data(), component.runs.size(), component.values.data(), component.seeds.data(),
                               component.seeds.size(), component.seed_values.data()};
      Flood::of_this_thread().divide(view, detector_.rules, volume_, found[static_cast<size_t>(lane)], stop_);
    }
  });
  for (FloodOutput& part : found) {
    if (!stopped()) out.gathered.absorb(std::move(part.voxels), static_cast<int32_t>(out.rows.size() / detector_.row_width()));
    out.rows.insert(out.rows.end(), part.rows.begin(), part.rows.end());
  }
  closed_.clear();
}

}  // namespace somaflow
