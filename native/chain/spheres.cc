#include "chain/spheres.h"

#include <algorithm>

#include "runtime/pool.h"

namespace somaflow {

Spheres::Spheres(const ChainConfig&, const DetectorConfig& detector, const Images& images)
    : images_(images),
      method_(detector.rules.method),
      reach_(detector.measured_z()),
      row_width_(detector.row_width()),
      channels_{detector.image},
      dtypes_(detector.rules.channels) {
  channels_.insert(channels_.end(), detector.channels.begin(), detector.channels.end());
  const double limit = *detector.radius * *detector.radius;
  for (int32_t z = -reach_; z <= reach_; ++z)
    for (int32_t y = -reach_; y <= reach_; ++y) {
      int32_t half = -1;
      while (half < reach_ && static_cast<double>(z * z + y * y + (half + 1) * (half + 1)) <= limit) ++half;
      if (half >= 0) chords_.push_back({z, y, half});
    }
}

void Spheres::measure(int32_t z, const std::vector<Seed>& seeds, int width, const std::atomic<bool>& stop,
                      std::vector<double>& rows) const {
  const size_t first = rows.size();
  rows.resize(first + seeds.size() * row_width_);
  std::vector<std::vector<ImagePlane>> planes(channels_.size());
  for (size_t channel = 0; channel < channels_.size(); ++channel)
    for (int32_t at = z - reach_; at <= z + reach_; ++at) planes[channel].push_back(images_.plane(channels_[channel], at));
  constexpr size_t kTogether = 32;
  const int items = static_cast<int>((seeds.size() + kTogether - 1) / kTogether);
  Pool::instance().parallel_for(width, items, stop, [&](int item, int) {
    const size_t begin = static_cast<size_t>(item) * kTogether;
    for (size_t i = begin; i < std::min(begin + kTogether, seeds.size()); ++i) {
      const Seed& seed = seeds[i];
      double* const row = rows.data() + first + i * row_width_;
      for (size_t channel = 0; channel < channels_.size(); ++channel)
        row[3 + channel] = with_type(dtypes_[channel], [&]<typename T>() { return measure_one<T>(planes[channel], seed); });
    }
  });
}

template <typename T>
double Spheres::measure_one(const std::vector<ImagePlane>& planes, const Seed& seed) const {
  const ImagePlane& own = planes[static_cast<size_t>(reach_)];
  double sum = 0, count = 0;
  double least = static_cast<double>(own.row<T>(seed.y)[seed.x]), most = least;
  for (const Chord& chord : chords_) {
    const ImagePlane& plane = planes[static_cast<size_t>(reach_ + chord.z)];
    const int32_t y = seed.y + chord.y;
    if (plane.data == nullptr || !plane.rows.holds(y)) continue;
    const T* const row = plane.row<T>(y);
    const int32_t from = std::max(seed.x - chord.half, plane.columns.start);
    const int32_t to = std::min(seed.x + chord.half, plane.columns.stop - 1);
    for (int32_t x = from; x <= to; ++x) {
      const double value = static_cast<double>(row[x]);
      sum += value;
      least = std::min(least, value);
      most = std::max(most, value);
    }
    count += to - from + 1;
  }
  switch (method_) {
    case Method::max:
      return most;
    case Method::min:
      return least;
    case Method::sum:
      return sum;
    case Method::mean:
      break;
  }
  return sum / count;
}

}  // namespace somaflow
