// Parts of components on their way to the seam merger, as bytes: every fragment one piece, so that it can lie in a file.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "chain/sparse.h"

namespace somaflow {

// A fragment's bytes: this head, the runs, the seeds, the numbers that they bring, the values in the order of the runs; padded
// to 8 bytes.
struct FragmentHead {
  uint32_t runs, seeds;
  uint64_t voxels;
  uint32_t seed_values;  // numbers of each seed
  int32_t depth;         // of the volume; 0 as long as it is not known, which voxels of its last plane never see
};

// What JavaScript keeps of each fragment, as float64 numbers in this order.
enum FragmentField { kOffset, kBytes, kVoxels, kRuns, kSeeds, kFaceBits, kZ0, kZ1, kY0, kY1, kX0, kX1, kFragmentFields };

// The sparse output of a push.
struct Fragments {
  std::vector<uint8_t> bytes;
  std::vector<double> index;           // kFragmentFields numbers a fragment
  std::vector<int32_t> links;          // pairs of fragment numbers in this block that are one component
  std::vector<int32_t> faces[kFaces];  // (u, v, length, fragment): the runs that touch the face, see add_face
  size_t count() const { return index.size() / kFragmentFields; }
};

// Where fragments come from: what the block's chain says of all of them.
struct FragmentRules {
  int32_t core_low[3], core_high[3];
  size_t voxel_bytes;  // of the values that are kept of each voxel
  size_t limit;          // bytes beyond which a fragment is cut
  uint32_t seed_values;  // numbers that each seed brings
  int32_t depth;         // of the volume, 0 while it is not known
};

// How many fragments a component leaves as.
int32_t fragment_count(const Component& component, const FragmentRules& rules);

// Appends a component as fragments numbered from `number` on, linked to each other and to what the component continues; its
// runs on inner faces go to the face lists.
void append_fragments(Fragments& out, const Component& component, int32_t number, const FragmentRules& rules);

struct FragmentView {
  FragmentHead head;
  const Run* runs;
  const Seed* seeds;
  const double* seed_values;
  const uint8_t* values;
};
FragmentView view_fragment(const uint8_t* bytes);

// Pairs (fragment of a, fragment of b) whose runs on the common face touch; each pair once. Lists of (u, v, length, fragment).
std::vector<int32_t> touching(std::vector<int32_t> a, std::vector<int32_t> b);

}  // namespace somaflow
