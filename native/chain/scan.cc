#include "chain/scan.h"

#include <algorithm>

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
        limit_(limit_of<T>(detector.mask_threshold)) {}

  void look(Band& band) const override {
    band.peaks.clear();
    band.mask.clear();
    std::vector<ImagePlane> planes;
    for (int32_t z = band.z - detector_.window_z.before; z <= band.z + detector_.window_z.after; ++z)
      planes.push_back(images_.plane(detector_.image, z));
    peaks_.find(planes.data(), band.rows, columns_, band.bits, band.peaks);
    if (detector_.shape && config_.core.z.holds(band.z)) find_runs(band);
  }

 private:
  void find_runs(Band& band) const {
    const Box& core = config_.core;
    const Span rows = {std::max(band.rows.start, core.y.start), std::min(band.rows.stop, core.y.stop)};
    const int32_t count = core.x.size();
    const ImagePlane image = images_.plane(detector_.image, band.z);
    PlaneMask& mask = band.mask;
    band.bits.resize((static_cast<size_t>(count) + 63) / 64);
    for (int32_t y = rows.start; y < rows.stop; ++y) {
      mask.row_runs.push_back(static_cast<uint32_t>(mask.runs.size()));
      if (limit_.none) continue;
      if (limit_.all) set_all(band.bits, static_cast<size_t>(count));
      else kernels_.mask_bits(image.row<T>(y) + core.x.start, static_cast<size_t>(count), limit_.value, band.bits.data());
      if (tissue_.asked()) tissue_.clear_outside(band.z, y, band.bits);
      for_runs(band.bits, count, [&](int32_t begin, int32_t end) {
        mask.runs.push_back({core.x.start + begin, end - begin, static_cast<uint32_t>(mask.values.size())});
        append(mask.values, image.row<T>(y) + core.x.start + begin, end - begin);
        for (const int32_t channel : detector_.channels) append_channel(mask.values, channel, band.z, y, core.x.start + begin, end - begin);
      });
    }
    if (rows.size() > 0) mask.row_runs.push_back(static_cast<uint32_t>(mask.runs.size()));
  }

  template <typename V>
  static void append(std::vector<uint8_t>& values, const V* from, int32_t length) {
    const uint8_t* const bytes = reinterpret_cast<const uint8_t*>(from);
    values.insert(values.end(), bytes, bytes + static_cast<size_t>(length) * sizeof(V));
  }

  void append_channel(std::vector<uint8_t>& values, int32_t channel, int32_t z, int32_t y, int32_t x, int32_t length) const {
    const ImagePlane plane = images_.plane(channel, z);
    with_type(config_.images[static_cast<size_t>(channel)].dtype,
              [&]<typename V>() { append(values, plane.row<V>(y) + x, length); });
  }

  const ChainConfig& config_;
  const DetectorConfig& detector_;
  const Images& images_;
  const Tissue& tissue_;
  const Span columns_;
  const PeakTest<T> peaks_;
  const RowKernels<T> kernels_;
  const Limit<T> limit_;
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
