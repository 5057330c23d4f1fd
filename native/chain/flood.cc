#include "chain/flood.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace somaflow {

namespace {

constexpr size_t kLevels = 65536;
constexpr uint8_t kRunStart = 1, kRunEnd = 2, kSeen = 4;
constexpr int kBehind = 0, kAbove = 1, kBelow = 2, kBeyond = 3;  // z-1, y-1, y+1, z+1 among a voxel's links
constexpr size_t kStopEvery = size_t{1} << 16;

size_t value_at(const ComponentView& component, size_t run, size_t running) {
  return component.value_at == nullptr ? running : component.value_at[run];
}

void append_row(std::vector<double>& rows, const Seed& seed, size_t size) {
  rows.push_back(seed.x);
  rows.push_back(seed.y);
  rows.push_back(seed.z);
  rows.push_back(static_cast<double>(size));
}

}  // namespace

size_t Flood::scratch_bytes(size_t voxels, size_t runs, size_t seeds) {
  return Cutter::rounded(runs * sizeof(Piece)) + Cutter::rounded(voxels * 2) + Cutter::rounded(voxels) +
         2 * Cutter::rounded(voxels * 4) + Cutter::rounded(voxels * 16) + Cutter::rounded(seeds * 4);
}

Flood& Flood::of_this_thread() {
  thread_local Flood flood;
  return flood;
}

void Flood::divide(const ComponentView& given, size_t channels, std::vector<double>& rows,
                   const std::atomic<bool>& stop, size_t limit, const std::string& folder) {
  ComponentView component = given;
  channels_ = channels;
  if (component.seed_count == 0) return;
  if (component.seed_count == 1) return measure_whole(component, rows);
  std::sort(component.seeds, component.seeds + component.seed_count,
            [](const Seed& a, const Seed& b) { return before(a, b); });
  size_t voxels = 0;
  for (size_t i = 0; i < component.run_count; ++i) voxels += static_cast<size_t>(component.runs[i].length);

  Cutter cutter(scratch_.take(scratch_bytes(voxels, component.run_count, component.seed_count), limit, folder));
  pieces_ = cutter.cut<Piece>(component.run_count);
  image_ = cutter.cut<uint16_t>(voxels);
  flags_ = cutter.cut<uint8_t>(voxels);
  label_ = cutter.cut<uint32_t>(voxels);
  next_ = cutter.cut<uint32_t>(voxels);
  links_ = cutter.cut<uint32_t>(4 * voxels);
  seed_voxel_ = cutter.cut<uint32_t>(component.seed_count);
  lay_out(component, voxels);
  link();
  const size_t seeds = merge_plateaus(component);
  spread(seeds, stop);
  if (!stop.load(std::memory_order_relaxed)) measure(component, seeds, rows);
}

// One seed takes the whole component, which needs no flood and no order.
void Flood::measure_whole(const ComponentView& component, std::vector<double>& rows) const {
  size_t size = 0, running = 0;
  std::vector<uint16_t> most(channels_, 0);
  for (size_t i = 0; i < component.run_count; ++i) {
    const size_t length = static_cast<size_t>(component.runs[i].length);
    const uint16_t* values = component.values + value_at(component, i, running);
    for (size_t channel = 0; channel < channels_; ++channel)
      most[channel] = std::max(most[channel], *std::max_element(values + channel * length, values + (channel + 1) * length));
    size += length;
    running += length * channels_;
  }
  append_row(rows, component.seeds[0], size);
  for (const uint16_t value : most) rows.push_back(value);
}

// Sorts the runs and copies the image's values in that order. Runs that a core's face had cut are neighbours now.
void Flood::lay_out(const ComponentView& component, size_t voxels) {
  voxels_ = voxels;
  piece_count_ = component.run_count;
  for (size_t i = 0; i < piece_count_; ++i) {
    const Run& run = component.runs[i];
    pieces_[i] = {run.z, run.y, run.x, run.length, 0, static_cast<uint32_t>(i)};
  }
  // Where values follow each other, a table says where those of each run begin; links_ has room for it until link().
  uint64_t running = 0;
  const bool follow = component.value_at == nullptr;
  uint64_t* const places = reinterpret_cast<uint64_t*>(links_);
  if (follow)
    for (size_t i = 0; i < piece_count_; ++i) {
      places[i] = running;
      running += static_cast<uint64_t>(component.runs[i].length) * channels_;
    }
  std::sort(pieces_, pieces_ + piece_count_, [](const Piece& a, const Piece& b) {
    return a.z != b.z ? a.z < b.z : a.y != b.y ? a.y < b.y : a.x < b.x;
  });
  std::memset(flags_, 0, voxels);
  uint32_t first = 0;
  for (size_t i = 0; i < piece_count_; ++i) {
    Piece& piece = pieces_[i];
    piece.first = first;
    const size_t length = static_cast<size_t>(piece.length);
    const uint16_t* values = component.values + (follow ? places[piece.run] : component.value_at[piece.run]);
    std::memcpy(image_ + first, values, length * sizeof(uint16_t));
    const bool joins = i > 0 && pieces_[i - 1].z == piece.z && pieces_[i - 1].y == piece.y &&
                       pieces_[i - 1].x + pieces_[i - 1].length == piece.x;
    if (joins) flags_[first - 1] &= static_cast<uint8_t>(~kRunEnd);
    else flags_[first] |= kRunStart;
    first += static_cast<uint32_t>(length);
    flags_[first - 1] |= kRunEnd;
  }
}

// Finds each voxel's neighbours across rows and planes, by walking the runs of two rows side by side.
void Flood::link() {
  std::memset(links_, 0, voxels_ * 4 * sizeof(uint32_t));
  size_t behind = 0, above_begin = 0, above_end = 0;
  for (size_t begin = 0; begin < piece_count_;) {
    const Piece& row = pieces_[begin];
    size_t end = begin + 1;
    while (end < piece_count_ && pieces_[end].z == row.z && pieces_[end].y == row.y) ++end;
    if (above_begin < above_end && pieces_[above_begin].z == row.z && pieces_[above_begin].y == row.y - 1)
      link_rows(begin, end, above_begin, above_end, kAbove);
    while (pieces_[behind].z < row.z - 1 || (pieces_[behind].z == row.z - 1 && pieces_[behind].y < row.y)) ++behind;
    size_t behind_end = behind;
    while (pieces_[behind_end].z == row.z - 1 && pieces_[behind_end].y == row.y) ++behind_end;
    if (behind_end > behind) link_rows(begin, end, behind, behind_end, kBehind);
    above_begin = begin;
    above_end = end;
    begin = end;
  }
}

void Flood::link_rows(size_t begin, size_t end, size_t other_begin, size_t other_end, int side) {
  const int back = kBeyond - side;
  for (size_t i = begin, other = other_begin; i < end; ++i) {
    const Piece& piece = pieces_[i];
    const int32_t stop = piece.x + piece.length;
    while (other < other_end && pieces_[other].x + pieces_[other].length <= piece.x) ++other;
    for (size_t at = other; at < other_end && pieces_[at].x < stop; ++at) {
      const Piece& near = pieces_[at];
      const int32_t from = std::max(piece.x, near.x), to = std::min(stop, near.x + near.length);
      uint32_t here = piece.first + static_cast<uint32_t>(from - piece.x);
      uint32_t there = near.first + static_cast<uint32_t>(from - near.x);
      for (int32_t x = from; x < to; ++x, ++here, ++there) {
        links_[4 * size_t{here} + static_cast<size_t>(side)] = there + 1;
        links_[4 * size_t{there} + static_cast<size_t>(back)] = here + 1;
      }
    }
  }
}

size_t Flood::find_voxel(const Seed& seed) const {
  const Piece* piece = std::upper_bound(pieces_, pieces_ + piece_count_, seed, [](const Seed& s, const Piece& p) {
    return s.z != p.z ? s.z < p.z : s.y != p.y ? s.y < p.y : s.x < p.x;
  });
  --piece;
  return piece->first + static_cast<size_t>(seed.x - piece->x);
}

// Keeps, of seeds on one plateau of equal value, the first in z, y, x order, and returns how many are left.
size_t Flood::merge_plateaus(ComponentView& component) {
  std::vector<uint16_t> levels(component.seed_count);
  for (size_t i = 0; i < component.seed_count; ++i) {
    seed_voxel_[i] = static_cast<uint32_t>(find_voxel(component.seeds[i]));
    levels[i] = image_[seed_voxel_[i]];
  }
  std::sort(levels.begin(), levels.end());
  size_t kept = 0;
  for (size_t i = 0; i < component.seed_count; ++i) {
    const uint32_t start = seed_voxel_[i];
    if (flags_[start] & kSeen) continue;
    component.seeds[kept] = component.seeds[i];
    seed_voxel_[kept++] = start;
    const uint16_t level = image_[start];
    const auto [low, high] = std::equal_range(levels.begin(), levels.end(), level);
    if (high - low < 2) continue;
    // Walks the plateau; label_ serves as the stack, for it is not in use before the flood.
    size_t depth = 0;
    const auto visit = [&](uint32_t voxel) {
      if (image_[voxel] != level || (flags_[voxel] & kSeen)) return;
      flags_[voxel] |= kSeen;
      label_[depth++] = voxel;
    };
    visit(start);
    while (depth > 0) {
      const uint32_t voxel = label_[--depth];
      for (int side = 0; side < 4; ++side)
        if (const uint32_t link = links_[4 * size_t{voxel} + static_cast<size_t>(side)]) visit(link - 1);
      if (!(flags_[voxel] & kRunStart)) visit(voxel - 1);
      if (!(flags_[voxel] & kRunEnd)) visit(voxel + 1);
    }
  }
  return kept;
}

void Flood::push(uint32_t voxel) {
  const size_t level = image_[voxel];
  next_[voxel] = 0;
  if (head_[level] == 0) {
    head_[level] = voxel + 1;
    word_[level / 64] |= uint64_t{1} << (level % 64);
    summary_[level / 4096] |= uint64_t{1} << (level / 64 % 64);
  } else {
    next_[tail_[level]] = voxel + 1;
  }
  tail_[level] = voxel;
}

// The oldest voxel of the greatest value as 1 + voxel, or 0 when all are out.
uint32_t Flood::pop() {
  for (size_t top = summary_.size(); top-- > 0;) {
    if (summary_[top] == 0) continue;
    const size_t word = top * 64 + 63 - static_cast<size_t>(__builtin_clzll(summary_[top]));
    const size_t level = word * 64 + 63 - static_cast<size_t>(__builtin_clzll(word_[word]));
    const uint32_t voxel = head_[level] - 1;
    head_[level] = next_[voxel];
    if (head_[level] == 0) {
      word_[word] &= ~(uint64_t{1} << (level % 64));
      if (word_[word] == 0) summary_[top] &= ~(uint64_t{1} << (word % 64));
    }
    return voxel + 1;
  }
  return 0;
}

void Flood::spread(size_t seed_count, const std::atomic<bool>& stop) {
  head_.resize(kLevels, 0);
  tail_.resize(kLevels, 0);
  word_.resize(kLevels / 64, 0);
  summary_.resize(kLevels / 4096, 0);
  std::memset(label_, 0, voxels_ * sizeof(uint32_t));
  for (size_t i = 0; i < seed_count; ++i) {
    label_[seed_voxel_[i]] = static_cast<uint32_t>(i + 1);
    push(seed_voxel_[i]);
  }
  size_t turns = 0;
  bool stopped = false;
  while (const uint32_t popped = pop()) {
    if (++turns % kStopEvery == 0) stopped = stop.load(std::memory_order_relaxed);
    if (stopped) continue;  // the queues are emptied all the same, for the next flood
    const uint32_t voxel = popped - 1;
    const uint32_t label = label_[voxel];
    const auto reach = [&](uint32_t near) {
      if (label_[near] != 0) return;
      label_[near] = label;
      push(near);
    };
    const uint32_t* links = links_ + 4 * size_t{voxel};
    if (links[kBehind]) reach(links[kBehind] - 1);
    if (links[kAbove]) reach(links[kAbove] - 1);
    if (!(flags_[voxel] & kRunStart)) reach(voxel - 1);
    if (!(flags_[voxel] & kRunEnd)) reach(voxel + 1);
    if (links[kBelow]) reach(links[kBelow] - 1);
    if (links[kBeyond]) reach(links[kBeyond] - 1);
  }
}

void Flood::measure(const ComponentView& component, size_t seed_count, std::vector<double>& rows) const {
  const size_t width = 4 + channels_;
  const size_t start = rows.size();
  for (size_t i = 0; i < seed_count; ++i) {
    append_row(rows, component.seeds[i], 0);
    rows.insert(rows.end(), channels_, 0.0);
  }
  std::vector<uint32_t> first(piece_count_);
  for (size_t i = 0; i < piece_count_; ++i) first[pieces_[i].run] = pieces_[i].first;
  size_t running = 0;
  for (size_t run = 0; run < piece_count_; ++run) {
    const size_t length = static_cast<size_t>(component.runs[run].length);
    const uint16_t* values = component.values + value_at(component, run, running);
    running += length * channels_;
    for (size_t i = 0; i < length; ++i) {
      double* row = rows.data() + start + (label_[first[run] + i] - 1) * width;
      row[3] += 1;
      for (size_t channel = 0; channel < channels_; ++channel)
        row[4 + channel] = std::max(row[4 + channel], static_cast<double>(values[channel * length + i]));
    }
  }
}

}  // namespace somaflow
