#include "chain/chain.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include "runtime/pool.h"

namespace somaflow {

namespace {

constexpr size_t kAlign = 64;

size_t rounded(size_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

// Voxels from row to row of the image ring. Strides that are multiples of 4 KiB would put neighbouring rows into one
// cache set, so it is an odd number of cache lines.
size_t image_stride(const ChainConfig& config) {
  constexpr size_t line = kAlign / sizeof(uint16_t);
  const size_t lines = (static_cast<size_t>(config.image_x().size()) + line - 1) / line;
  return (lines | 1) * line;
}

size_t image_plane_voxels(const ChainConfig& config) {
  return image_stride(config) * static_cast<size_t>(config.image_y().size());
}

OpeningPlan opening_plan(const ChainConfig& config) {
  return OpeningPlan(std::max(1, config.background_y), std::max(1, config.background_x));
}

// Sorts rows of numbers, which begin with x, y, z, by z, y, x.
void sort_rows(std::vector<double>& rows, size_t width) {
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
}

}  // namespace

ChainNeeds chain_needs(const ChainConfig& config, int width) {
  const size_t read_plane = static_cast<size_t>(config.read.y.size()) * static_cast<size_t>(config.read.x.size());
  const size_t core_plane = static_cast<size_t>(config.core.y.size()) * static_cast<size_t>(config.core.x.size());
  const size_t lanes = static_cast<size_t>(std::max(1, width));
  ChainNeeds needs{};
  needs.source_bytes = rounded(read_plane * 2) * static_cast<size_t>(config.source_planes());
  if (config.background()) {
    needs.workspace_bytes = rounded(image_plane_voxels(config) * 2 * static_cast<size_t>(config.image_planes())) +
                            lanes * rounded(opening_plan(config).scratch_bytes());
  }
  if (config.shape) {
    // A plane wholly in the mask, its values once as they are found and once in components; then what may be held,
    // closed and on its way out, and the scratch of the largest flood on each lane.
    const size_t plane = core_plane * 2 * static_cast<size_t>(config.channels());
    const size_t limit = static_cast<size_t>(config.flood_limit_voxels);
    needs.sparse_bytes = 2 * plane * static_cast<size_t>(config.batch_planes) + 2 * config.held_limit +
                         lanes * Flood::scratch_bytes(limit, limit / 4, limit / 64);
  }
  return needs;
}

Chain::Chain(const ChainConfig& config, const uint16_t* source, std::byte* workspace, uint16_t* saved)
    : config_(config),
      source_(source),
      workspace_(workspace),
      saved_(saved),
      opening_(opening_plan(config)),
      opening_scratch_(rounded(opening_.scratch_bytes())),
      image_(reinterpret_cast<uint16_t*>(workspace)),
      image_stride_(image_stride(config)),
      image_plane_voxels_(image_plane_voxels(config)),
      peaks_(config_),
      first_(config_),
      components_(config_),
      mask_limit_(limit_of(config.mask_threshold)),
      kernels_(row_kernels(config.target)),
      rules_{{config.core.z.start, config.core.y.start, config.core.x.start},
             {config.core.z.stop, config.core.y.stop, config.core.x.stop},
             static_cast<size_t>(config.channels()),
             config.fragment_limit},
      arrived_(config.read.z.start),
      sieved_(config_.peaks_z().start),
      end_(std::numeric_limits<int32_t>::max()) {}

ImagePlane Chain::source_plane(int32_t z) const {
  const size_t rows = static_cast<size_t>(config_.read.y.size()), columns = static_cast<size_t>(config_.read.x.size());
  const size_t slot = static_cast<size_t>((z - config_.read.z.start) % config_.source_planes());
  return {source_ + slot * rows * columns, static_cast<ptrdiff_t>(columns), config_.read.y, config_.read.x};
}

ImagePlane Chain::image_plane(int32_t z) const {
  if (z < config_.read.z.start || z >= end_) return {};
  const Span rows = config_.image_y(), columns = config_.image_x();
  if (!config_.background()) {
    const ImagePlane plane = source_plane(z);
    return {plane.row(rows.start) + columns.start, plane.stride, rows, columns};
  }
  const size_t slot = static_cast<size_t>((z - config_.read.z.start) % config_.image_planes());
  return {image_ + slot * image_plane_voxels_, static_cast<ptrdiff_t>(image_stride_), rows, columns};
}

void Chain::push(int planes, bool last, bool inner_high_z, int width, ChainOutput& out) {
  const int32_t from = arrived_, to = arrived_ + planes;
  if (config_.background()) remove_background(from, to, width);
  if (stopped()) return;
  arrived_ = to;
  if (last) end_ = to;
  if (saved_ != nullptr) save_image(from, to, width);
  if (!config_.maxima) return;

  const Span wanted = config_.peaks_z();
  const int32_t ready = std::min(wanted.stop, last ? wanted.stop : arrived_ - config_.window_z.after);
  if (ready > sieved_) sieve(sieved_, ready, width, out);
  if (stopped()) return;
  if (last && config_.shape) {
    if (inner_high_z) components_.touch_high_z(config_.core.z.stop - 1);
    components_.take_open(closed_, [](const Component&) { return 0; });
  }
  flood_closed(width, out);
  if (!stopped()) sort_rows(out.rows, config_.shape ? 4 + static_cast<size_t>(config_.channels()) : 3);
}

// Rows of a band: as many as keep every thread busy, but not so few that the opening, which reads rows beyond the band,
// works twice on many; and few enough that a stop is noticed soon.
int Chain::cut_bands(Span rows, int planes, int width) const {
  constexpr int kLeastRows = 64;
  constexpr int64_t kMostVoxels = int64_t{4} << 20;
  const int bands = width <= 1 ? 1 : (2 * width + planes - 1) / planes;
  const int wanted = std::max((rows.size() + bands - 1) / bands, kLeastRows);
  return static_cast<int>(std::clamp<int64_t>(kMostVoxels / std::max(1, config_.read.x.size()), 1, wanted));
}

void Chain::remove_background(int32_t from, int32_t to, int width) {
  const Span rows = config_.image_y(), columns = config_.image_x();
  const Box& read = config_.read;
  const int band_rows = cut_bands(rows, to - from, width);
  const int bands = (rows.size() + band_rows - 1) / band_rows;
  std::byte* const scratch =
      workspace_ + rounded(image_plane_voxels_ * 2 * static_cast<size_t>(config_.image_planes()));
  Pool::instance().parallel_for(width, (to - from) * bands, stop_, [&](int item, int lane) {
    const int32_t z = from + item / bands;
    const int32_t start = rows.start + item % bands * band_rows;
    const int32_t stop = std::min(start + band_rows, rows.stop);
    const ImagePlane source = source_plane(z), image = image_plane(z);
    subtract_opening(config_.target, opening_, source.data, source.stride,
                     {read.y.start, read.y.stop, read.x.start, read.x.stop}, config_.height, config_.width,
                     {start, stop, columns.start, columns.stop},
                     const_cast<uint16_t*>(image.row(start) + columns.start), image.stride,
                     scratch + static_cast<size_t>(lane) * opening_scratch_);
  });
}

void Chain::save_image(int32_t from, int32_t to, int width) {
  const Box& core = config_.core;
  const size_t rows = static_cast<size_t>(core.y.size()), columns = static_cast<size_t>(core.x.size());
  Pool::instance().parallel_for(width, to - from, stop_, [&](int item, int) {
    const int32_t z = from + item;
    if (!core.z.holds(z)) return;
    const ImagePlane image = image_plane(z);
    uint16_t* to_row = saved_ + static_cast<size_t>(z - core.z.start) * rows * columns;
    for (int32_t y = core.y.start; y < core.y.stop; ++y, to_row += columns)
      std::memcpy(to_row, image.row(y) + core.x.start, columns * sizeof(uint16_t));
  });
}

// Finds peaks and mask runs of planes from .. to - 1, all bands at once, then joins plane after plane.
void Chain::sieve(int32_t from, int32_t to, int width, ChainOutput& out) {
  const Span rows = config_.peaks_y();
  const int band_rows = cut_bands(rows, to - from, width);
  const size_t bands = static_cast<size_t>((rows.size() + band_rows - 1) / band_rows);
  // Planes that came with the last ones are taken in turns, so that no more bands are kept than a push fills.
  while (sieved_ < to && !stopped()) {
    const int32_t upto = std::min(to, sieved_ + config_.batch_planes);
    const size_t count = static_cast<size_t>(upto - sieved_) * bands;
    if (bands_.size() < count) bands_.resize(count);
    for (size_t i = 0; i < count; ++i) {
      const int32_t start = rows.start + static_cast<int32_t>(i % bands) * band_rows;
      bands_[i].z = sieved_ + static_cast<int32_t>(i / bands);
      bands_[i].rows = {start, std::min(start + band_rows, rows.stop)};
    }
    Pool::instance().parallel_for(width, static_cast<int>(count), stop_,
                                  [&](int item, int) { look(bands_[static_cast<size_t>(item)]); });
    for (int32_t z = sieved_; z < upto && !stopped(); ++z) {
      join_plane(z, static_cast<size_t>(z - sieved_) * bands, bands, out);
      size_t closed = 0;
      for (const Component& component : closed_) closed += component.bytes();
      if (closed > config_.held_limit) flood_closed(width, out);
    }
    sieved_ = upto;
  }
}

void Chain::look(Band& band) {
  band.peaks.clear();
  band.mask.clear();
  std::vector<ImagePlane> planes;
  for (int32_t z = band.z - config_.window_z.before; z <= band.z + config_.window_z.after; ++z)
    planes.push_back(image_plane(z));
  peaks_.find(planes.data(), band.rows, config_.peaks_x(), band.bits, band.peaks);
  if (config_.shape && config_.core.z.holds(band.z)) find_runs(band);
}

void Chain::find_runs(Band& band) {
  const Box& core = config_.core;
  const Span rows = {std::max(band.rows.start, core.y.start), std::min(band.rows.stop, core.y.stop)};
  const size_t count = static_cast<size_t>(core.x.size());
  const ImagePlane image = image_plane(band.z), source = source_plane(band.z);
  PlaneMask& mask = band.mask;
  band.bits.resize((count + 63) / 64);
  const auto add = [&](int32_t y, int32_t x, int32_t length) {
    mask.runs.push_back({x, length, static_cast<uint32_t>(mask.values.size())});
    const uint16_t* values = image.row(y) + x;
    mask.values.insert(mask.values.end(), values, values + length);
    if (!config_.source_channel) return;
    values = source.row(y) + x;
    mask.values.insert(mask.values.end(), values, values + length);
  };
  for (int32_t y = rows.start; y < rows.stop; ++y) {
    mask.row_runs.push_back(static_cast<uint32_t>(mask.runs.size()));
    if (mask_limit_.none) continue;
    if (mask_limit_.all) {
      add(y, core.x.start, core.x.size());
      continue;
    }
    kernels_.mask_bits(image.row(y) + core.x.start, count, mask_limit_.value, band.bits.data());
    int32_t open = -1;  // where a run began that reached the end of the word before
    for (size_t word = 0; word < band.bits.size(); ++word) {
      uint64_t bits = band.bits[word];
      const int32_t x0 = core.x.start + static_cast<int32_t>(word * 64);
      int at = 0;
      if (open >= 0) {
        if (~bits == 0) continue;
        at = __builtin_ctzll(~bits);
        add(y, open, x0 + at - open);
        open = -1;
      }
      bits = at == 0 ? bits : bits >> at << at;
      while (bits != 0) {
        const int begin = __builtin_ctzll(bits);
        const uint64_t gaps = ~bits >> begin << begin;
        if (gaps == 0) {
          open = x0 + begin;
          break;
        }
        const int end = __builtin_ctzll(gaps);
        add(y, x0 + begin, end - begin);
        bits = bits >> end << end;
      }
    }
    if (open >= 0) add(y, open, core.x.stop - open);
  }
  if (rows.size() > 0) mask.row_runs.push_back(static_cast<uint32_t>(mask.runs.size()));
}

void Chain::join_plane(int32_t z, size_t first_band, size_t bands, ChainOutput& out) {
  std::vector<Peak> peaks;
  std::vector<const PlaneMask*> masks;
  for (size_t i = first_band; i < first_band + bands; ++i) {
    peaks.insert(peaks.end(), bands_[i].peaks.begin(), bands_[i].peaks.end());
    masks.push_back(&bands_[i].mask);
  }
  std::vector<Seed> seeds;
  first_.add_plane(z, std::move(peaks), seeds);
  if (!config_.core.z.holds(z)) return;
  if (!config_.shape) {
    for (const Seed& seed : seeds) {
      const double row[] = {static_cast<double>(seed.x), static_cast<double>(seed.y), static_cast<double>(seed.z)};
      out.rows.insert(out.rows.end(), row, row + 3);
    }
    return;
  }
  components_.add_plane(z, masks, seeds, closed_);
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

void Chain::append_as_fragments(const Component& component, ChainOutput& out) {
  append_fragments(out.fragments, component, fragments_, rules_);
  fragments_ += fragment_count(component, rules_);
}

void Chain::flood_closed(int width, ChainOutput& out) {
  const size_t channels = static_cast<size_t>(config_.channels());
  const auto whole = [&](const Component& component) {
    return component.faces == 0 && component.continues.empty() &&
           component.values.size() / channels <= static_cast<size_t>(config_.flood_limit_voxels);
  };
  std::vector<Component*> floods;
  for (Component& component : closed_) {
    if (!whole(component)) append_as_fragments(component, out);
    else if (!component.seeds.empty()) floods.push_back(&component);
  }
  constexpr size_t kTogether = 32;
  const size_t lanes = static_cast<size_t>(std::clamp(width, 1, kMaxWidth));
  std::vector<std::vector<double>> rows(lanes);
  Pool::instance().parallel_for(width, static_cast<int>((floods.size() + kTogether - 1) / kTogether), stop_, [&](int item, int lane) {
    const size_t first = static_cast<size_t>(item) * kTogether;
    for (size_t i = first; i < std::min(first + kTogether, floods.size()); ++i) {
      Component& component = *floods[i];
      const ComponentView view{component.runs.data(), nullptr,  component.runs.size(), component.values.data(),
                               component.seeds.data(), component.seeds.size()};
      Flood::of_this_thread().divide(view, channels, rows[static_cast<size_t>(lane)], stop_);
    }
  });
  for (const std::vector<double>& part : rows) out.rows.insert(out.rows.end(), part.begin(), part.end());
  closed_.clear();
}

}  // namespace somaflow
