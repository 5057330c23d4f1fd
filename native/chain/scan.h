// Looks at a band of rows of one plane: which voxels are peaks, and which are in the mask, with their values.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "chain/config.h"
#include "chain/images.h"
#include "chain/sparse.h"
#include "chain/tissue.h"

namespace somaflow {

// One band of rows of one plane, and what is found in it. Kept, so that its memory is reused.
struct Band {
  int32_t z = 0;
  Span rows;
  PlaneMask mask;
  std::vector<Peak> peaks;
  std::vector<Peak> candidates, candidates_before;  // of the row that is looked at, and of the one before it
  std::vector<uint64_t> bits, peak_bits;
};

// Shared by the threads of a job.
class Scan {
 public:
  virtual ~Scan() = default;
  virtual void look(Band& band) const = 0;
};

// `columns` are those on which peaks are to be known.
std::unique_ptr<Scan> make_scan(const ChainConfig& config, const DetectorConfig& detector, const Images& images,
                                const Tissue& tissue, Span columns);

}  // namespace somaflow
