// Components drawn at random, and packed as the chain and the seams hand them to a flood.
#pragma once

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <vector>

#include "chain/flood.h"
#include "test/plain_flood.h"

namespace somaflow::test {

inline std::mt19937_64 generator(20240811);
inline int draw(int low, int high) { return std::uniform_int_distribution<int>(low, high)(generator); }
inline bool chance(int percent) { return draw(1, 100) <= percent; }

enum class Values { plateaus, narrow, wide, dark };

inline double draw_value(Dtype dtype, Values kind) {
  if (kind == Values::plateaus) return draw(3, 6) - (dtype == Dtype::f32 ? 4.5 : 0);
  // Nothing but 0, or hardly; of floats less than that too.
  if (kind == Values::dark) return chance(80) ? 0 : draw(dtype == Dtype::f32 ? -3 : 0, 1);
  if (dtype != Dtype::f32 && kind == Values::wide && chance(3)) return dtype == Dtype::u8 ? 255 : 65535;
  if (dtype == Dtype::u8) return kind == Values::narrow ? draw(90, 120) : draw(0, 255);
  if (dtype == Dtype::u16) return kind == Values::narrow ? draw(500, 900) : draw(0, 65535);
  // Adding 0 makes -0 into 0; the wide range reaches denormal values.
  return std::ldexp(static_cast<float>(draw(-(1 << 23), 1 << 23)), kind == Values::narrow ? draw(-30, 10) : draw(-160, 90)) + 0.0f;
}

inline FloodRules draw_rules() {
  FloodRules rules;
  rules.channels.resize(static_cast<size_t>(chance(50) ? 1 : draw(2, 4)));
  for (Dtype& dtype : rules.channels) dtype = static_cast<Dtype>(draw(0, 2));
  rules.method = static_cast<Method>(draw(0, 3));
  rules.merge_plateaus = chance(60);
  if (chance(40)) return rules;
  rules.seed_values = draw(0, 3);
  rules.centroid = chance(50);
  rules.box = chance(50);
  rules.flags = chance(50);
  const int channels = static_cast<int>(rules.channels.size());
  rules.saturated_channel = draw(-1, channels - 1);
  rules.voxels = chance(50);
  for (int channel = 0; channel < channels && rules.voxels; ++channel)
    if (chance(60)) rules.voxel_channels.push_back(channel);
  rules.reserved = draw(0, 2);
  return rules;
}

inline void draw_values(Cells& cells, const FloodRules& rules, Values kind) {
  for (const Dtype dtype : rules.channels) {
    std::vector<double>& values = cells.values.emplace_back();
    for (size_t i = 0; i < cells.voxels.size(); ++i) values.push_back(draw_value(dtype, kind));
  }
}

inline void draw_seed_values(Cells& cells, const FloodRules& rules) {
  for (size_t seed = 0; seed < cells.seeds.size(); ++seed)
    for (std::vector<double>& own = cells.seed_values.emplace_back(); own.size() < static_cast<size_t>(rules.seed_values);)
      own.push_back(std::ldexp(draw(-1000, 1000), draw(-20, 20)));
}

// A box in a volume, whose depth is known or not: where components are drawn.
struct Site {
  Position start, size;
  VolumeExtent volume;
};

inline Site draw_site() {
  Site site;
  int32_t extent[3];
  for (size_t axis = 0; axis < 3; ++axis) {
    site.size[axis] = draw(1, axis == 2 ? 12 : 9);
    site.start[axis] = draw(0, 5);
    extent[axis] = site.start[axis] + site.size[axis] + draw(0, 2);
  }
  site.volume = {chance(70) ? extent[0] : 0, extent[1], extent[2]};
  return site;
}

// The components of a random mask in a small box, with seeds at no voxel, at one, some or all.
inline std::vector<Cells> draw_components(const FloodRules& rules, const Site& site) {
  const auto [z0, y0, x0] = site.start;
  const auto [depth, height, width] = site.size;
  const int density = draw(30, 100);
  const Values kind = static_cast<Values>(draw(0, 3));
  std::vector<Position> mask;
  for (int z = z0; z < z0 + depth; ++z)
    for (int y = y0; y < y0 + height; ++y)
      for (int x = x0; x < x0 + width; ++x)
        if (chance(density)) mask.push_back({z, y, x});
  const Places places(mask);
  std::vector<bool> seen(mask.size(), false);
  std::vector<Cells> components;
  for (size_t i = 0; i < mask.size(); ++i) {
    if (seen[i]) continue;
    Cells& cells = components.emplace_back();
    for (const size_t voxel : places.reached(i, seen, [](size_t) { return true; })) cells.voxels.push_back(mask[voxel]);
    draw_values(cells, rules, kind);
    const int part = chance(20) ? 100 : draw(0, 40);
    for (const auto& [z, y, x] : cells.voxels)
      if (chance(part)) cells.seeds.push_back({z, y, x});
    if (chance(30) && cells.seeds.size() > 1) cells.seeds.resize(1);
    draw_seed_values(cells, rules);
  }
  return components;
}

// Bright balls that overlap, with noise: what cells that touch look like, as in the speed mode of the test.
inline Cells draw_balls(int balls, Dtype dtype) {
  const double radius = 1.8 + 0.01 * draw(0, 140);
  const int extent = static_cast<int>(6 * radius) + 8;
  std::vector<std::array<double, 3>> centers{{extent / 2.0, extent / 2.0, extent / 2.0}};
  while (static_cast<int>(centers.size()) < balls) {
    std::array<double, 3> center = centers.back();
    for (double& at : center) at = std::clamp(at + 0.014 * draw(-100, 100) * radius, radius + 1, extent - radius - 2);
    centers.push_back(center);
  }
  std::set<Position> middles;
  for (const auto& [z, y, x] : centers) middles.insert({int(std::lround(z)), int(std::lround(y)), int(std::lround(x))});
  Cells cells;
  cells.values.resize(1);
  for (int z = 0; z < extent; ++z)
    for (int y = 0; y < extent; ++y)
      for (int x = 0; x < extent; ++x) {
        double nearest = radius + 1;
        for (const auto& [cz, cy, cx] : centers) nearest = std::min(nearest, std::hypot(z - cz, y - cy, x - cx));
        if (nearest > radius) continue;
        const double height = std::exp(-nearest * nearest / radius / radius);
        cells.voxels.push_back({z, y, x});
        cells.values[0].push_back(std::floor(dtype == Dtype::u8 ? 50 + 150 * height + draw(0, 30) : 700 + 2500 * height + draw(0, 300)));
        if (middles.count({z, y, x})) cells.seeds.push_back({z, y, x});
      }
  return cells;
}

inline void append_value(std::vector<uint8_t>& bytes, Dtype dtype, double value) {
  with_type(dtype, [&]<typename T>() {
    const T typed = static_cast<T>(value);
    const uint8_t* const at = reinterpret_cast<const uint8_t*>(&typed);
    bytes.insert(bytes.end(), at, at + sizeof(T));
  });
}

// Runs with their values behind each other, which may begin at any byte.
struct Packed {
  std::vector<Run> runs;
  std::vector<uint8_t> bytes;
  std::vector<Seed> seeds;
  std::vector<double> seed_values;
  size_t skip = 0;  // bytes before the first value
  int cuts = 0;     // runs that were cut from the one before

  ComponentView view() { return {runs.data(), runs.size(), bytes.data() + skip, seeds.data(), seeds.size(), seed_values.data()}; }
};

// `mixed`: as once components were joined across cores, with runs cut, and runs and seeds in any order.
inline Packed pack(const Cells& cells, const FloodRules& rules, bool mixed) {
  struct Stretch {
    Run run;
    size_t first;
  };
  Packed packed;
  std::vector<Stretch> stretches;
  for (size_t i = 0; i < cells.voxels.size(); ++i) {
    const auto [z, y, x] = cells.voxels[i];
    const bool joins = i > 0 && cells.voxels[i - 1] == Position{z, y, x - 1};
    const bool cut = mixed && joins && chance(20);
    packed.cuts += cut;
    if (joins && !cut) ++stretches.back().run.length;
    else stretches.push_back({{z, y, x, 1}, i});
  }
  packed.seeds = cells.seeds;
  for (size_t i = 0; i < packed.seeds.size(); ++i) packed.seeds[i].place = static_cast<uint32_t>(i);
  for (const std::vector<double>& own : cells.seed_values) packed.seed_values.insert(packed.seed_values.end(), own.begin(), own.end());
  if (mixed) {
    std::shuffle(stretches.begin(), stretches.end(), generator);
    std::shuffle(packed.seeds.begin(), packed.seeds.end(), generator);
    packed.skip = static_cast<size_t>(draw(0, 3));
    packed.bytes.resize(packed.skip);
  }
  for (const auto& [run, first] : stretches) {
    packed.runs.push_back(run);
    for (size_t channel = 0; channel < rules.channels.size(); ++channel)
      for (size_t i = first; i < first + static_cast<size_t>(run.length); ++i)
        append_value(packed.bytes, rules.channels[channel], cells.values[channel][i]);
  }
  return packed;
}

}  // namespace somaflow::test
