#include "chain/labels.h"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

namespace somaflow {

namespace {

constexpr int kDigitBits = 8;
constexpr size_t kDigitValues = size_t{1} << kDigitBits;
constexpr size_t kStopEvery = size_t{1} << 16;

size_t digit_of(uint64_t place, int shift) { return place >> shift & (kDigitValues - 1); }

}  // namespace

SortedRuns sort_runs(const CellRun* runs, size_t count, int32_t first, const Parts& parts) {
  SortedRuns sorted;
  if (count == 0) return sorted;
  int32_t lowest = std::numeric_limits<int32_t>::max(), highest = 0;
  for (size_t i = 0; i < count; ++i) {
    lowest = std::min(lowest, parts.of(runs[i]));
    highest = std::max(highest, parts.of(runs[i]));
  }
  std::vector<size_t> next(static_cast<size_t>(highest - lowest) + 1);
  for (size_t i = 0; i < count; ++i) ++next[static_cast<size_t>(parts.of(runs[i]) - lowest)];
  size_t begin = 0;
  for (size_t part = 0; part < next.size(); ++part) {
    if (next[part] == 0) continue;
    sorted.counts.push_back(lowest + static_cast<int32_t>(part));
    sorted.counts.push_back(static_cast<int32_t>(next[part]));
    begin += std::exchange(next[part], begin);
  }
  sorted.runs.resize(count);
  for (size_t i = 0; i < count; ++i) {
    CellRun& run = sorted.runs[next[static_cast<size_t>(parts.of(runs[i]) - lowest)]++];
    run = runs[i];
    run.cell += first;
  }
  return sorted;
}

size_t Labels::label_bytes(size_t cells) { return Cutter::rounded(std::max<size_t>(1, cells) * sizeof(uint32_t)); }

size_t Labels::rank_bytes(size_t cells) { return 2 * Cutter::rounded(std::max<size_t>(1, cells) * sizeof(Center)); }

Labels::Labels(size_t cells, size_t limit, std::string folder) : cells_(cells), limit_(limit), folder_(std::move(folder)) {
  labels_ = Cutter(kept_.take(label_bytes(cells), limit_, folder_)).cut<uint32_t>(cells);
  Cutter cutter(passing_.take(rank_bytes(cells), limit_, folder_));
  centers_ = cutter.cut<Center>(std::max<size_t>(1, cells));
  sorted_ = cutter.cut<Center>(std::max<size_t>(1, cells));
}

void Labels::add(const double* places, size_t count) {
  if (count > cells_ - known_) throw std::out_of_range("more cells than were counted");
  for (size_t i = 0; i < count; ++i, ++known_) {
    double place;
    __builtin_memcpy(&place, places + i, sizeof(double));  // bytes read back from a file lie at any address
    centers_[known_] = {static_cast<uint64_t>(place), known_};
  }
}

// A radix sort: unlike a sort by comparisons it can end in the middle, and reads a file in order.
void Labels::rank(const std::atomic<bool>& stop) {
  uint64_t greatest = 0;
  for (size_t i = 0; i < known_; ++i) greatest = std::max(greatest, centers_[i].place);
  for (int shift = 0; shift < 64 && greatest >> shift != 0; shift += kDigitBits) {
    size_t next[kDigitValues] = {}, begin = 0;
    for (size_t i = 0; i < known_; ++i) ++next[digit_of(centers_[i].place, shift)];
    for (size_t& digit : next) begin += std::exchange(digit, begin);
    for (size_t i = 0; i < known_; ++i) {
      if (i % kStopEvery == 0 && stop.load(std::memory_order_relaxed)) return;
      sorted_[next[digit_of(centers_[i].place, shift)]++] = centers_[i];
    }
    std::swap(centers_, sorted_);
  }
  for (size_t i = 0; i < known_; ++i) labels_[centers_[i].cell] = static_cast<uint32_t>(i + 1);
  passing_.drop();
  centers_ = sorted_ = nullptr;
}

uint32_t Labels::of(double cell) const {
  if (!(cell >= 0 && cell < static_cast<double>(cells_))) throw std::out_of_range("there is no cell of that number");
  return labels_[static_cast<size_t>(cell)];
}

void Labels::paint(const CellRun* runs, size_t count, const PaintBox& box, uint32_t* into) const {
  const auto [z0, z1, y0, y1, x0, x1] = box;
  const size_t height = static_cast<size_t>(y1 - y0), width = static_cast<size_t>(x1 - x0);
  for (size_t i = 0; i < count; ++i) {
    CellRun run;
    __builtin_memcpy(&run, runs + i, sizeof(CellRun));
    if (run.z < z0 || run.z >= z1 || run.y < y0 || run.y >= y1 || run.x < x0 || run.length > x1 - run.x)
      throw std::out_of_range("a run of a cell lies outside of what is painted");
    const size_t row = static_cast<size_t>(run.z - z0) * height + static_cast<size_t>(run.y - y0);
    std::fill_n(into + row * width + static_cast<size_t>(run.x - x0), run.length, of(run.cell));
  }
}

}  // namespace somaflow
