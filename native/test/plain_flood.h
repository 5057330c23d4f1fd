// SPEC.md's shape and intensity for one component, written down plainly: what Flood is compared with.
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

// Rows as Flood appends them.
inline std::vector<double> plain_flood(const Cells& cells, const FloodRules& rules) {
  const Places places(cells.voxels);
  const std::vector<size_t> seeds = plain_seeds(cells, places, rules);
  const std::vector<std::vector<size_t>> found = plain_cells(cells, places, seeds);
  std::vector<double> rows;
  for (size_t i = 0; i < seeds.size(); ++i) {
    const auto [z, y, x] = cells.voxels[seeds[i]];
    for (const double number : {double(x), double(y), double(z), double(found[i].size())}) rows.push_back(number);
    for (const std::vector<double>& values : cells.values) rows.push_back(plain_measure(values, found[i], rules.method));
  }
  return rows;
}

}  // namespace somaflow::test
