// What is left of the images: runs of mask voxels with their values, seeds, and the components that they form.
#pragma once

#include <cstdint>
#include <vector>

namespace somaflow {

// Voxels x .. x + length - 1 of row (z, y), all in the mask.
struct Run {
  int32_t z, y, x, length;
};

// A maximum inside the mask. The numbers that it brings lie apart, those of all seeds of a component behind each other.
struct Seed {
  int32_t z, y, x;
  uint32_t place = 0;  // of its numbers, in those of its component
};

inline bool before(const Seed& a, const Seed& b) {
  return a.z != b.z ? a.z < b.z : a.y != b.y ? a.y < b.y : a.x < b.x;
}

// Bits for the faces of a core behind which another core lies.
enum Face : uint8_t { kLowZ = 1, kHighZ = 2, kLowY = 4, kHighY = 8, kLowX = 16, kHighX = 32 };
constexpr int kFaces = 6;

// A 6-connected set of mask voxels, or the part of one that has been seen. The values of a run are `length` of the
// image, then `length` of each further channel, each in its own type and packed; runs are in no order once components were joined.
struct Component {
  std::vector<Run> runs;
  std::vector<uint8_t> values;
  std::vector<Seed> seeds;
  std::vector<double> seed_values;
  std::vector<int32_t> continues;  // fragments that already left, of which this is the rest
  int32_t last_plane = 0;
  uint8_t faces = 0;

  size_t bytes() const {
    return runs.capacity() * sizeof(Run) + values.capacity() + seeds.capacity() * sizeof(Seed) +
           seed_values.capacity() * sizeof(double);
  }
};

// The mask runs and maxima of one plane's rows, as they are found; rows of the core only.
struct PlaneRun {
  int32_t x, length;
  uint32_t value;  // the byte at which its values begin
};

struct PlaneMask {
  std::vector<uint32_t> row_runs;  // for each row, where its runs begin; one more for the end
  std::vector<PlaneRun> runs;
  std::vector<uint8_t> values;
  void clear() {
    row_runs.clear();
    runs.clear();
    values.clear();
  }
};

// A voxel that no voxel of its window exceeds. Only whether two have the same value is ever asked, and without -0 and NaN the
// bits say that of every type.
struct Peak {
  int32_t y, x;
  uint32_t bits;
};

}  // namespace somaflow
