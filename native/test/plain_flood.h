// SPEC.md's shape and intensity for one component, and where its cells lie, written down plainly: what Flood is compared with.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <queue>
#include <tuple>
#include <vector>

#include "chain/channels.h"
#include "chain/sparse.h"

namespace somaflow::test {

using Position = std::array<int, 3>;  // z, y, x

// A component, voxel by voxel in z, y, x order, with the values of each channel.
struct Cells {
  std::vector<Position> voxels;
  std::vector<std::vector<double>> values;
  std::vector<Seed> seeds;
  std::vector<std::vector<double>> seed_values{};  // the numbers of each seed, as many as the rules say
};

// The voxels by their positions.
class Places {
 public:
  explicit Places(const std::vector<Position>& voxels) : voxels_(voxels) {
    for (size_t i = 0; i < voxels.size(); ++i) index_[voxels[i]] = i;
  }
  size_t at(const Seed& seed) const { return index_.at({seed.z, seed.y, seed.x}); }

  // Calls visit(near) for the neighbours of a voxel.
  template <typename Visit>
  void for_near(size_t voxel, const Visit& visit) const {
    const auto [z, y, x] = voxels_[voxel];
    for (const Position& near : {Position{z - 1, y, x}, {z, y - 1, x}, {z, y, x - 1}, {z, y, x + 1}, {z, y + 1, x}, {z + 1, y, x}})
      if (const auto found = index_.find(near); found != index_.end()) visit(found->second);
  }

  // Those reached from `start` by way of voxels that `through` lets pass, in z, y, x order; they are noted as seen.
  template <typename Through>
  std::vector<size_t> reached(size_t start, std::vector<bool>& seen, const Through& through) const {
    std::vector<size_t> found{start};
    seen[start] = true;
    for (size_t at = 0; at < found.size(); ++at)
      for_near(found[at], [&](size_t near) {
        if (seen[near] || !through(near)) return;
        seen[near] = true;
        found.push_back(near);
      });
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  const std::vector<Position>& voxels_;
  std::map<Position, size_t> index_;
};

// The seeds that stay, as voxels in z, y, x order.
inline std::vector<size_t> plain_seeds(const Cells& cells, const Places& places, const FloodRules& rules) {
  const std::vector<double>& image = cells.values[0];
  std::vector<size_t> seeds, kept;
  for (const Seed& seed : cells.seeds) seeds.push_back(places.at(seed));
  std::sort(seeds.begin(), seeds.end());
  std::vector<bool> seen(cells.voxels.size(), false);
  for (const size_t seed : seeds) {
    if (rules.merge_plateaus && seen[seed]) continue;
    places.reached(seed, seen, [&](size_t near) { return image[near] == image[seed]; });
    kept.push_back(seed);
  }
  return kept;
}

// The voxels of each seed's cell, in z, y, x order: greatest value first, then age; labelled when first reached.
inline std::vector<std::vector<size_t>> plain_cells(const Cells& cells, const Places& places, const std::vector<size_t>& seeds) {
  constexpr size_t none = SIZE_MAX;
  std::vector<size_t> label(cells.voxels.size(), none);
  std::priority_queue<std::tuple<double, long, size_t>> queue;
  long age = 0;
  const auto take = [&](size_t voxel, size_t cell) {
    label[voxel] = cell;
    queue.emplace(cells.values[0][voxel], --age, voxel);
  };
  for (size_t i = 0; i < seeds.size(); ++i) take(seeds[i], i);
  while (!queue.empty()) {
    const size_t voxel = std::get<2>(queue.top());
    queue.pop();
    places.for_near(voxel, [&](size_t near) {
      if (label[near] == none) take(near, label[voxel]);
    });
  }
  std::vector<std::vector<size_t>> found(seeds.size());
  if (!seeds.empty())
    for (size_t i = 0; i < label.size(); ++i) found[label[i]].push_back(i);
  return found;
}

inline double plain_measure(const std::vector<double>& values, const std::vector<size_t>& of, Method method) {
  double most = values[of[0]], least = most, sum = 0;
  for (const size_t i : of) {
    most = std::max(most, values[i]);
    least = std::min(least, values[i]);
    sum += values[i];
  }
  switch (method) {
    case Method::max: return most;
    case Method::min: return least;
    case Method::sum: return sum;
    default: return sum / static_cast<double>(of.size());
  }
}

// The centroid along one axis of the voxels `of`, seen from the center, voxel `seed`.
inline double plain_centroid(const Cells& cells, const std::vector<size_t>& of, size_t seed, size_t axis) {
  const auto weighted = [&](const auto& weight) {
    double sum = 0, all = 0;
    for (const size_t i : of) {
      sum += weight(i) * double(cells.voxels[i][axis] - cells.voxels[seed][axis]);
      all += weight(i);
    }
    return std::pair{cells.voxels[seed][axis] + sum / all, all};
  };
  const auto [centroid, weight] = weighted([&](size_t i) { return cells.values[0][i]; });
  return weight > 0 ? centroid : weighted([](size_t) { return 1.0; }).first;
}

inline double plain_flags(const Cells& cells, const std::vector<size_t>& of, const FloodRules& rules, const VolumeExtent& volume) {
  const int32_t last[] = {volume.depth - 1, volume.height - 1, volume.width - 1};
  bool edge = false, saturated = false;
  for (const size_t i : of) {
    for (size_t axis = 0; axis < 3; ++axis) edge |= cells.voxels[i][axis] == 0 || cells.voxels[i][axis] == last[axis];
    if (rules.saturated_channel < 0) continue;
    const size_t channel = size_t(rules.saturated_channel);
    const Dtype dtype = rules.channels[channel];
    saturated |= dtype != Dtype::f32 && cells.values[channel][i] == (dtype == Dtype::u8 ? 255 : 65535);
  }
  return edge + 2 * saturated;
}

// What Flood leaves: rows; and runs of z, y, x, length and row, with the values of their voxels in each channel asked for.
struct PlainFlood {
  std::vector<double> rows;
  std::vector<std::array<int32_t, 5>> runs;
  std::vector<std::vector<double>> values;
};

inline void append_voxels(PlainFlood& to, const Cells& cells, const std::vector<size_t>& of, const FloodRules& rules, int row) {
  for (const size_t i : of) {
    const auto [z, y, x] = cells.voxels[i];
    const bool goes_on = !to.runs.empty() && to.runs.back()[4] == row && to.runs.back()[0] == z && to.runs.back()[1] == y &&
                         to.runs.back()[2] + to.runs.back()[3] == x;
    if (goes_on) ++to.runs.back()[3];
    else to.runs.push_back({z, y, x, 1, row});
    for (size_t channel = 0; channel < rules.voxel_channels.size(); ++channel)
      to.values[channel].push_back(cells.values[size_t(rules.voxel_channels[channel])][i]);
  }
}

// Appends to what earlier components left.
inline void plain_flood(PlainFlood& to, const Cells& cells, const FloodRules& rules, const VolumeExtent& volume) {
  const Places places(cells.voxels);
  const std::vector<size_t> seeds = plain_seeds(cells, places, rules);
  const std::vector<std::vector<size_t>> found = plain_cells(cells, places, seeds);
  std::vector<double>& rows = to.rows;
  to.values.resize(rules.voxel_channels.size());
  for (size_t i = 0; i < seeds.size(); ++i) {
    const auto [z, y, x] = cells.voxels[seeds[i]];
    for (const double number : {double(x), double(y), double(z), double(found[i].size())}) rows.push_back(number);
    for (const std::vector<double>& values : cells.values) rows.push_back(plain_measure(values, found[i], rules.method));
    for (size_t seed = 0; seed < cells.seeds.size() && rules.seed_values > 0; ++seed)
      if (places.at(cells.seeds[seed]) == seeds[i])
        rows.insert(rows.end(), cells.seed_values[seed].begin(), cells.seed_values[seed].end());
    if (rules.centroid)
      for (const size_t axis : {2, 1, 0}) rows.push_back(plain_centroid(cells, found[i], seeds[i], axis));
    for (const size_t axis : {2, 1, 0}) {
      if (!rules.box) break;
      const auto less = [&](size_t a, size_t b) { return cells.voxels[a][axis] < cells.voxels[b][axis]; };
      const auto [least, most] = std::minmax_element(found[i].begin(), found[i].end(), less);
      rows.push_back(cells.voxels[*least][axis]);
      rows.push_back(cells.voxels[*most][axis] + 1);
    }
    if (rules.flags) rows.push_back(plain_flags(cells, found[i], rules, volume));
    rows.insert(rows.end(), size_t(rules.reserved), 0.0);
    if (rules.voxels) append_voxels(to, cells, found[i], rules, int(rows.size() / rules.row_width()) - 1);
  }
}

}  // namespace somaflow::test
