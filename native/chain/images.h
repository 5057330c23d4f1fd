// The planes of a block's images, as many of each as something still looks at: rings that the caller fills, and rings of what
// the steps make of those.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "chain/config.h"
#include "chain/image_plane.h"
#include "chain/stage.h"

namespace somaflow {

class Images {
 public:
  // `inputs` are the rings that the caller fills, in the order of the images that are inputs; then that of the tissue, if asked.
  // Plane z lies at (z - read.z.start) % source_planes(). `workspace` has workspace_bytes.
  Images(const ChainConfig& config, std::vector<std::byte*> inputs, std::byte* workspace);

  static std::vector<size_t> input_bytes(const ChainConfig& config);
  static size_t workspace_bytes(const ChainConfig& config, int width);

  // Takes planes that have arrived, up to those before `arrived`; with `last` no more come. Throws std::runtime_error, naming the
  // voxel, if one of a float image is no finite number.
  void arrive(int32_t arrived, bool last, int width, const std::atomic<bool>& stop);

  // Makes the next planes of every image, up to batch_planes of each, as far as those that they take are there; false if
  // there is nothing to make.
  bool advance(int width, const std::atomic<bool>& stop);

  // The first plane of an image that is not there, and whether there will be more.
  int32_t made(int32_t image) const { return made_[static_cast<size_t>(image)]; }
  bool complete(int32_t image) const { return made(image) >= end(image); }
  // The plane of an image behind its last, as far as that is known: the volume's end where a window reaches beyond it.
  int32_t end(int32_t image) const { return std::min(config_.images[static_cast<size_t>(image)].z.stop, end_); }

  // Copies the core's part of planes [from, to) of an image.
  void copy(int32_t image, int32_t from, int32_t to, std::byte* into) const;

  // No data where the block has no such plane; planes that are gone or to come are the caller's mistake.
  ImagePlane plane(int32_t image, int32_t z) const;
  ImagePlane tissue(int32_t z) const;

 private:
  struct Ring {
    std::byte* data;
    size_t plane_bytes;
    ptrdiff_t stride;
    int32_t planes;
    Span z, y, x;
  };
  ImagePlane plane_of(const Ring& ring, int32_t z) const;
  void check(int32_t image, int32_t from, int32_t to, int width, const std::atomic<bool>& stop);
  void make(int32_t image, int32_t from, int32_t to, int width, const std::atomic<bool>& stop);

  const ChainConfig& config_;
  std::vector<Ring> rings_;
  Ring tissue_{};
  std::vector<std::unique_ptr<Stage>> stages_;  // one an image, none for inputs
  std::vector<int32_t> made_;                    // for each image, the first plane that is not there
  std::byte* scratch_;
  size_t scratch_bytes_ = 0;  // of each thread
  int32_t arrived_;           // the first plane that has not arrived
  int32_t end_;               // the first plane that there never will be, once known
};

// Rows of a band of a plane: as many as keep every thread busy, but not so few that an opening, which reads rows beyond the
// band, works twice on many; and few enough that a stop is noticed soon.
int cut_bands(const ChainConfig& config, Span rows, int planes, int width);

}  // namespace somaflow
