#include "chain/scan.h"

#include <algorithm>
#include <cstring>

#include "chain/peaks.h"
#include "kernels/rows.h"

namespace somaflow {

namespace {

// Calls run(begin, end) for each run of set bits; it may go on from word to word.
template <typename EachRun>
void for_runs(const std::vector<uint64_t>& words, int32_t count, const EachRun& run) {
  int32_t open = -1;  // where a run began that reached the end of the word before
  for (size_t word = 0; word < words.size(); ++word) {
    uint64_t bits = words[word];
    const int32_t x0 = static_cast<int32_t>(word * 64);
    int at = 0;
    if (open >= 0) {
      if (~bits == 0) continue;
      at = __builtin_ctzll(~bits);
      run(open, x0 + at);
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
      run(x0 + begin, x0 + end);
      bits = bits >> end << end;
    }
  }
  if (open >= 0) run(open, count);
}

void set_all(std::vector<uint64_t>& bits, size_t count) {
  std::fill(bits.begin(), bits.end(), ~uint64_t{0});
  if (count % 64 != 0) bits.back() = (uint64_t{1} << count % 64) - 1;
}

template <typename T>
class ScanOf final : public Scan {
 public:
  ScanOf(const ChainConfig& config, const DetectorConfig& detector, const Images& images, const Tissue& tissue, Span columns)
      : config_(config),
        detector_(detector),
        images_(images),
        tissue_(tissue),
        columns_(columns),
        peaks_(detector, config.target),
        kernels_(row_kernels<T>(config.target)),
        limit_(limit_of<T>(detector.mask_threshold)),
        peaks_in_mask_(detector.seed_threshold >= detector.mask_threshold && !limit_.none && !limit_.all && columns.start == config.core.x.start &&
                       columns.stop == config.core.x.stop) {}

  void look(Band& band) const override {
    band.peaks.clear();
    band.mask.clear();
    std::vector<ImagePlane> planes;
    for (int32_t z = band.z - detector_.window_z.before; z <= band.z + detector_.window_z.after; ++z)
      planes.push_back(images_.plane(detector_.image, z));
    Span rows;  // of the core
    std::vector<Kept> kept;
    if (detector_.shape && config_.core.z.holds(band.z)) {
      rows = {std::max(band.rows.start, config_.core.y.start), std::min(band.rows.stop, config_.core.y.stop)};
      kept = kept_of(band.z);
    }
    // Peaks and runs of a row together, while it is near. What is told by other planes comes one row late, when it was fetched.
    for (int32_t y = band.rows.start; y < band.rows.stop; ++y) {
      std::swap(band.candidates, band.candidates_before);
      band.candidates.clear();
      const bool masked = rows.holds(y);
      if (masked) find_mask(kept[0].plane, y, band.bits);
      if (masked && peaks_in_mask_) band.peak_bits = band.bits;
      peaks_.candidates(planes.data(), y, columns_, masked && peaks_in_mask_, band.peak_bits, band.candidates);
      peaks_.judge(planes.data(), band.candidates_before, band.peaks);
      if (!masked) continue;
      const size_t before = band.mask.row_runs.empty() ? 0 : band.mask.row_runs.back(), first = band.mask.runs.size();
      find_runs(band, kept, y);
      keep_values(band.mask, kept, y - 1, before, first);
    }
    peaks_.judge(planes.data(), band.candidates, band.peaks);
    band.candidates.clear();
    if (rows.size() <= 0) return;
    keep_values(band.mask, kept, rows.stop - 1, band.mask.row_runs.back(), band.mask.runs.size());
    band.mask.row_runs.push_back(static_cast<uint32_t>(band.mask.runs.size()));
  }

 private:
  // A plane whose values are kept of the mask's voxels.
  struct Kept {
    ImagePlane plane;
    size_t bytes;  // of a voxel
    const std::byte* voxel(int32_t y, int32_t x) const {
      return plane.data + ((y - plane.rows.start) * plane.stride + (x - plane.columns.start)) * static_cast<ptrdiff_t>(bytes);
    }
  };

  // The image's, then those of the further channels.
  std::vector<Kept> kept_of(int32_t z) const {
    std::vector<Kept> kept = {{images_.plane(detector_.image, z), sizeof(T)}};
    for (const int32_t channel : detector_.channels)
      kept.push_back({images_.plane(channel, z), bytes_of(config_.images[static_cast<size_t>(channel)].dtype)});
    return kept;
  }

  // Sets the bits of a row of the core whose voxels are above the mask's threshold.
  void find_mask(const ImagePlane& plane, int32_t y, std::vector<uint64_t>& bits) const {
    const Span columns = config_.core.x;
    const size_t count = static_cast<size_t>(columns.size());
    bits.resize((count + 63) / 64);
    if (limit_.none) std::fill(bits.begin(), bits.end(), uint64_t{0});
    else if (limit_.all) set_all(bits, count);
    else kernels_.mask_bits(plane.row<T>(y) + columns.start, count, limit_.value, bits.data(), later_row<T>(plane, y) + columns.start);
  }

  // Lists the runs of a row of the core, and where their values will be.
  void find_runs(Band& band, const std::vector<Kept>& kept, int32_t y) const {
    const Span columns = config_.core.x;
    PlaneMask& mask = band.mask;
    mask.row_runs.push_back(static_cast<uint32_t>(mask.runs.size()));
    if (tissue_.asked()) tissue_.clear_outside(band.z, y, band.bits);
    size_t value = mask.values.size();
    const size_t voxel_bytes = detector_.rules.voxel_bytes();
    for_runs(band.bits, columns.size(), [&](int32_t begin, int32_t end) {
      const int32_t x = columns.start + begin, length = end - begin;
      mask.runs.push_back({x, length, static_cast<uint32_t>(value)});
      value += static_cast<size_t>(length) * voxel_bytes;
      // Channels were last looked at when the image was made of them, planes ago.
      for (size_t i = 1; i < kept.size(); ++i) __builtin_prefetch(kept[i].voxel(y, x));
    });
    mask.values.resize(value);
  }

  // Copies the values of the runs [from, to), which are of row y.
  static void keep_values(PlaneMask& mask, const std::vector<Kept>& kept, int32_t y, size_t from, size_t to) {
    for (size_t run = from; run < to; ++run) {
      const auto& [x, length, value] = mask.runs[run];
      uint8_t* into = mask.values.data() + value;
      for (const Kept& channel : kept) {
        const size_t bytes = static_cast<size_t>(length) * channel.bytes;
        std::memcpy(into, channel.voxel(y, x), bytes);
        into += bytes;
      }
    }
  }

  const ChainConfig& config_;
  const DetectorConfig& detector_;
  const Images& images_;
  const Tissue& tissue_;
  const Span columns_;
  const PeakTest<T> peaks_;
  const RowKernels<T> kernels_;
  const Limit<T> limit_;
  const bool peaks_in_mask_;  // whether whatever may be a peak is in the mask of its row, whose words are those of peaks
};

}  // namespace

std::unique_ptr<Scan> make_scan(const ChainConfig& config, const DetectorConfig& detector, const Images& images,
                                const Tissue& tissue, Span columns) {
  const Dtype dtype = config.images[static_cast<size_t>(detector.image)].dtype;
  return with_type(dtype, [&]<typename T>() -> std::unique_ptr<Scan> {
    return std::make_unique<ScanOf<T>>(config, detector, images, tissue, columns);
  });
}

}  // namespace somaflow
