#include "chain/measures.h"

#include <algorithm>
#include <limits>
#include <type_traits>

namespace somaflow {

namespace {

// The measure after `count` more values, at least one. Sums of integers are exact, so their order does not matter and they
// may be taken apart; those of floats go from value to value.
template <typename T, Method method>
double over(const uint8_t* values, size_t count, double so_far) {
  const auto value = [values](size_t i) {
    T read;
    __builtin_memcpy(&read, values + i * sizeof(T), sizeof(T));
    return read;
  };
  if constexpr (method == Method::max || method == Method::min) {
    T most = value(0);
    for (size_t i = 1; i < count; ++i) most = method == Method::max ? std::max(most, value(i)) : std::min(most, value(i));
    return method == Method::max ? std::max(so_far, static_cast<double>(most)) : std::min(so_far, static_cast<double>(most));
  } else if constexpr (std::is_integral_v<T>) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; ++i) sum += value(i);
    return so_far + static_cast<double>(sum);
  } else {
    for (size_t i = 0; i < count; ++i) so_far += static_cast<double>(value(i));
    return so_far;
  }
}

// Calls f.operator()<T, method>(channel, before) for each channel; `before` bytes of a voxel lie in channels before it.
template <typename F>
void for_channels(const FloodRules& rules, const F& f) {
  size_t before = 0;
  for (size_t channel = 0; channel < rules.channels.size(); ++channel) {
    with_type(rules.channels[channel], [&]<typename T>() {
      if (rules.method == Method::max) f.template operator()<T, Method::max>(channel, before);
      else if (rules.method == Method::min) f.template operator()<T, Method::min>(channel, before);
      else f.template operator()<T, Method::sum>(channel, before);
    });
    before += bytes_of(rules.channels[channel]);
  }
}

}  // namespace

void begin_cell(const Seed& seed, const double* seed_values, const FloodRules& rules, std::vector<double>& rows) {
  const size_t end = rows.size() + rules.row_width();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const int32_t position : {seed.x, seed.y, seed.z}) rows.push_back(position);
  rows.push_back(0);
  rows.insert(rows.end(), rules.channels.size(),
              rules.method == Method::max ? -infinity : rules.method == Method::min ? infinity : 0.0);
  if (rules.seed_values > 0) {
    const double* const own = seed_values + size_t{seed.place} * static_cast<size_t>(rules.seed_values);
    rows.insert(rows.end(), own, own + rules.seed_values);
  }
  rows.resize(end);
}

void add_runs(const Run* runs, size_t count, const uint8_t* values, const FloodRules& rules, double* row) {
  size_t size = 0;
  for (size_t i = 0; i < count; ++i) size += static_cast<size_t>(runs[i].length);
  row[kSize] += static_cast<double>(size);
  const size_t voxel_bytes = rules.voxel_bytes();
  for_channels(rules, [&]<typename T, Method method>(size_t channel, size_t before) {
    double measure = row[kMeasures + channel];
    const uint8_t* at = values;
    for (size_t i = 0; i < count; ++i) {
      const size_t length = static_cast<size_t>(runs[i].length);
      measure = over<T, method>(at + length * before, length, measure);
      at += length * voxel_bytes;
    }
    row[kMeasures + channel] = measure;
  });
}

void add_labelled(const Piece* pieces, size_t count, const uint8_t* values, const uint32_t* labels, const FloodRules& rules,
                  double* rows, const std::atomic<bool>& stop) {
  const size_t width = rules.row_width();
  for_channels(rules, [&]<typename T, Method method>(size_t channel, size_t before) {
    for_stretches(pieces, count, labels, stop, [&](const Piece* piece, size_t begin, size_t end, size_t label) {
      const uint8_t* const at = values + piece->values + static_cast<size_t>(piece->run.length) * before;
      double* const row = rows + (label - 1) * width;
      if (channel == 0) row[kSize] += static_cast<double>(end - begin);
      double& measure = row[kMeasures + channel];
      measure = over<T, method>(at + begin * sizeof(T), end - begin, measure);
    });
  });
}

void end_cell(const FloodRules& rules, double* row) {
  if (rules.method != Method::mean) return;
  for (size_t channel = 0; channel < rules.channels.size(); ++channel) row[kMeasures + channel] /= row[kSize];
}

}  // namespace somaflow
