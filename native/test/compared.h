// What floods leave, set beside what the plain watershed says.
#pragma once

#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "chain/cell_voxels.h"
#include "test/plain_flood.h"

namespace somaflow::test {

inline bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}

// Runs and values, in the order given.
inline bool same_voxels(const GivenVoxels& given, const PlainFlood& expected, const FloodRules& rules) {
  const size_t bytes = expected.runs.size() * sizeof(expected.runs[0]);
  bool same = given.runs.size() * sizeof(int32_t) == bytes && (bytes == 0 || std::memcmp(given.runs.data(), expected.runs.data(), bytes) == 0);
  for (size_t i = 0; i < rules.voxel_channels.size(); ++i)
    with_type(rules.channels[static_cast<size_t>(rules.voxel_channels[i])], [&]<typename T>() {
      std::vector<T> values;
      if (i < expected.values.size()) values.assign(expected.values[i].begin(), expected.values[i].end());
      same &= given.values[i].size() == values.size() * sizeof(T) &&
              (values.empty() || std::memcmp(given.values[i].data(), values.data(), given.values[i].size()) == 0);
    });
  return same;
}

// The order of rows by z, y, x of their centers.
inline std::vector<size_t> order_of(const std::vector<double>& rows, size_t width) {
  std::vector<size_t> order(rows.size() / width);
  std::iota(order.begin(), order.end(), size_t{0});
  const auto center = [&](size_t row) {
    const double* const at = rows.data() + row * width;
    return std::array{at[2], at[1], at[0]};
  };
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return center(a) < center(b); });
  return order;
}

inline std::vector<double> picked(const std::vector<double>& rows, const std::vector<size_t>& order, size_t width) {
  std::vector<double> sorted;
  for (const size_t row : order)
    sorted.insert(sorted.end(), rows.begin() + static_cast<ptrdiff_t>(row * width), rows.begin() + static_cast<ptrdiff_t>((row + 1) * width));
  return sorted;
}

inline PlainFlood sorted_by_center(const PlainFlood& flood, const FloodRules& rules) {
  const std::vector<size_t> order = order_of(flood.rows, rules.row_width());
  PlainFlood sorted{picked(flood.rows, order, rules.row_width()), {}, std::vector<std::vector<double>>(flood.values.size())};
  for (size_t row = 0; row < order.size(); ++row) {
    size_t voxel = 0;
    for (auto run : flood.runs) {
      const size_t end = voxel + static_cast<size_t>(run[3]);
      if (static_cast<size_t>(run[4]) == order[row]) {
        run[4] = static_cast<int32_t>(row);
        sorted.runs.push_back(run);
        for (size_t i = 0; i < flood.values.size(); ++i)
          sorted.values[i].insert(sorted.values[i].end(), flood.values[i].begin() + static_cast<ptrdiff_t>(voxel),
                                  flood.values[i].begin() + static_cast<ptrdiff_t>(end));
      }
      voxel = end;
    }
  }
  return sorted;
}

}  // namespace somaflow::test
