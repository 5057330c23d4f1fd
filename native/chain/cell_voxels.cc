#include "chain/cell_voxels.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "chain/measures.h"

namespace somaflow {

namespace {

// Appends runs, whose voxels begin at `first` of their part's.
void append(GivenVoxels& to, const FloodRules& rules, const CellVoxels::Part& part, const CellRun* runs, size_t count,
            size_t first, size_t voxels) {
  const int32_t* const numbers = reinterpret_cast<const int32_t*>(runs);
  to.runs.insert(to.runs.end(), numbers, numbers + count * kCellRunNumbers);
  const uint8_t* values = part.values;
  for (size_t i = 0; i < rules.voxel_channels.size(); ++i) {
    const size_t bytes = bytes_of(rules.channels[static_cast<size_t>(rules.voxel_channels[i])]);
    to.values[i].insert(to.values[i].end(), values + first * bytes, values + (first + voxels) * bytes);
    values += part.voxels * bytes;
  }
}

size_t voxels_of(const CellRun* runs, size_t count) {
  size_t voxels = 0;
  for (size_t i = 0; i < count; ++i) voxels += static_cast<size_t>(runs[i].length);
  return voxels;
}

size_t bytes_for(size_t runs, size_t voxels, const FloodRules& rules) {
  constexpr size_t aligned = alignof(CellRun);
  return runs * sizeof(CellRun) + (voxels * rules.given_bytes() + aligned - 1) / aligned * aligned;
}

// Whether a piece goes on where the one before it ends.
bool continues(const Piece* piece) {
  const Run &run = piece->run, &before = piece[-1].run;
  return before.z == run.z && before.y == run.y && before.x + before.length == run.x;
}

}  // namespace

std::byte* CellVoxels::room(size_t bytes) {
  if (bytes > free_bytes_) {
    free_bytes_ = std::max(bytes, chunk_bytes_);
    const bool in_file = free_bytes_ > memory_bytes_;
    if (!in_file) memory_bytes_ -= free_bytes_;
    free_ = chunks_.emplace_back().take(free_bytes_, in_file ? 0 : SIZE_MAX, folder_);
  }
  std::byte* const room = free_;
  free_ += bytes;
  free_bytes_ -= bytes;
  return room;
}

CellVoxels::Part CellVoxels::add(size_t runs, size_t voxels, const FloodRules& rules) {
  CellRun* const first = reinterpret_cast<CellRun*>(room(bytes_for(runs, voxels, rules)));
  parts_.push_back({first, reinterpret_cast<uint8_t*>(first + runs), runs, voxels});
  run_count_ += runs;
  return parts_.back();
}

void CellVoxels::absorb(CellVoxels&& other, int32_t rows) {
  for (const Part& part : other.parts_) {
    for (size_t i = 0; i < part.run_count; ++i) part.runs[i].row += rows;
    parts_.push_back(part);
  }
  run_count_ += other.run_count_;
  chunks_.splice(chunks_.end(), other.chunks_);
  free_bytes_ = 0;  // what is free lies in a chunk that is not the last any more
  other = CellVoxels();
}

GivenVoxels CellVoxels::sorted(const FloodRules& rules, const std::vector<size_t>& order) const {
  struct Cell {
    const Part* part = nullptr;
    size_t first_run = 0, runs = 0, first_voxel = 0, voxels = 0;
  };
  std::vector<Cell> cells(order.size());
  size_t all = 0;
  for (const Part& part : parts_) {
    size_t voxel = 0;
    for (size_t i = 0; i < part.run_count; ++i) {
      Cell& cell = cells[static_cast<size_t>(part.runs[i].row)];
      if (cell.runs++ == 0) {
        cell.part = &part;
        cell.first_run = i;
        cell.first_voxel = voxel;
      }
      cell.voxels += static_cast<size_t>(part.runs[i].length);
      voxel += static_cast<size_t>(part.runs[i].length);
    }
    all += part.voxels;
  }
  GivenVoxels given{{}, std::vector<std::vector<uint8_t>>(rules.voxel_channels.size())};
  given.runs.reserve(run_count_ * kCellRunNumbers);
  for (size_t i = 0; i < rules.voxel_channels.size(); ++i)
    given.values[i].reserve(all * bytes_of(rules.channels[static_cast<size_t>(rules.voxel_channels[i])]));
  for (size_t row = 0; row < order.size(); ++row) {
    const Cell& cell = cells[order[row]];
    if (cell.part == nullptr) continue;
    const size_t begin = given.runs.size();
    append(given, rules, *cell.part, cell.part->runs + cell.first_run, cell.runs, cell.first_voxel, cell.voxels);
    for (size_t at = begin; at < given.runs.size(); at += kCellRunNumbers) given.runs[at + 4] = static_cast<int32_t>(row);
  }
  return given;
}

GivenVoxels CellVoxels::copy(const FloodRules& rules, size_t from, size_t count) {
  GivenVoxels given{{}, std::vector<std::vector<uint8_t>>(rules.voxel_channels.size())};
  if (from < place_.at) place_ = {};
  while (place_.part < parts_.size() && count > 0) {
    const Part& part = parts_[place_.part];
    // First the runs to be skipped, then those wanted; both end with the part at the latest.
    const bool skips = place_.at < from;
    const size_t runs = std::min(part.run_count - place_.run, skips ? from - place_.at : count);
    const size_t voxels = voxels_of(part.runs + place_.run, runs);
    if (!skips) {
      append(given, rules, part, part.runs + place_.run, runs, place_.voxel, voxels);
      count -= runs;
      from += runs;
    }
    place_ = {place_.at + runs, place_.part, place_.run + runs, place_.voxel + voxels};
    if (place_.run == part.run_count) place_ = {place_.at, place_.part + 1, 0, 0};
  }
  return given;
}

size_t CellVoxels::usual_bytes(size_t voxels, size_t runs, const FloodRules& rules) {
  // Where cells touch, they cut runs: as a rule not as many as there are.
  return rules.voxels ? bytes_for(std::min(voxels, 2 * runs), voxels, rules) : 0;
}

void give_voxels(const Piece* pieces, size_t count, const uint8_t* values, const uint32_t* labels, const FloodRules& rules,
                 const std::vector<double>& rows, size_t first_row, uint64_t* cursors, CellVoxels& voxels,
                 const std::atomic<bool>& stop) {
  const size_t width = rules.row_width(), cells = rows.size() / width - first_row;
  // Runs that were cut where cores meet are one again, so that they do not depend on the layout.
  const auto goes_on = [&](const Piece* piece, size_t begin, size_t label) {
    return begin == 0 && piece != pieces && continues(piece) && (labels == nullptr || labels[piece->first - 1] == label);
  };
  uint64_t *const next_run = cursors, *const next_voxel = cursors + cells;
  std::fill(next_run, next_run + cells, 0);
  for_stretches(pieces, count, labels, stop, [&](const Piece* piece, size_t begin, size_t, size_t label) {
    if (!goes_on(piece, begin, label)) ++next_run[label - 1];
  });
  size_t all_runs = 0, all_voxels = 0;
  for (size_t cell = 0; cell < cells; ++cell) {
    all_runs += std::exchange(next_run[cell], all_runs);
    next_voxel[cell] = all_voxels;
    all_voxels += static_cast<size_t>(rows[(first_row + cell) * width + kSize]);
  }
  if (stop.load(std::memory_order_relaxed)) return;

  const CellVoxels::Part part = voxels.add(all_runs, all_voxels, rules);
  for_stretches(pieces, count, labels, stop, [&](const Piece* piece, size_t begin, size_t end, size_t label) {
    const auto& [run, first, at] = *piece;
    const int32_t length = static_cast<int32_t>(end - begin);
    if (goes_on(piece, begin, label)) {
      part.runs[next_run[label - 1] - 1].length += length;
    } else {
      part.runs[next_run[label - 1]++] = {run.z, run.y, run.x + static_cast<int32_t>(begin), length,
                                          static_cast<int32_t>(first_row + label - 1)};
    }
    uint8_t* to = part.values;
    for (const int32_t channel : rules.voxel_channels) {
      const size_t bytes = bytes_of(rules.channels[static_cast<size_t>(channel)]);
      const uint8_t* const from = values + at + static_cast<size_t>(run.length) * rules.bytes_before(channel) + begin * bytes;
      std::memcpy(to + next_voxel[label - 1] * bytes, from, (end - begin) * bytes);
      to += part.voxels * bytes;
    }
    next_voxel[label - 1] += end - begin;
  });
}

}  // namespace somaflow
