// The planes of a block's images, as many of each as something still looks at: rings that the caller fills, and rings of what
// the steps make of those.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "chain/config.h"

namespace somaflow {

// Where the image of a plane is: the voxel (y, x) of the volume is at data[(y - rows.start) * stride + x - columns.start].
struct ImagePlane {
  std::byte* data = nullptr;  // null: there is no such plane
  ptrdiff_t stride = 0;       // in voxels
  Span rows, columns;

  template <typename T>
  const T* row(int32_t y) const {
    return reinterpret_cast<const T*>(data) + (y - rows.start) * stride - columns.start;
  }
  template <typename T>
  T* row(int32_t y) {
    return reinterpret_cast<T*>(data) + (y - rows.start) * stride - columns.start;
  }
};

class Images {
 public:
  // `inputs` are the rings that the caller fills, in the order of the images that are inputs; then that of the tissue, if asked.
  // Plane z lies at (z - read.z.start) % source_planes(). `workspace` has workspace_bytes.
  Images(const ChainConfig& config, std::vector<std::byte*> inputs, std::byte* workspace);

  static std::vector<size_t> input_bytes(const ChainConfig& config);
  static size_t workspace_bytes(const ChainConfig& config, int width);

  // Takes planes [from, to) that have arrived, up to batch_planes, and makes those of all images. Throws std::runtime_error,
  // naming the voxel, if one of a float image is no finite number.
  void advance(int32_t from, int32_t to, int width, const std::atomic<bool>& stop);

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
  template <typename T>
  void remove_background(int32_t image, int32_t from, int32_t to, int width, const std::atomic<bool>& stop);

  const ChainConfig& config_;
  std::vector<Ring> rings_;
  Ring tissue_{};
  std::vector<OpeningPlan> openings_;  // one an image, of size 1 for inputs
  std::byte* scratch_;
  int32_t arrived_;  // the first plane that is not there
};

// Rows of a band of a plane: as many as keep every thread busy, but not so few that an opening, which reads rows beyond the
// band, works twice on many; and few enough that a stop is noticed soon.
int cut_bands(const ChainConfig& config, Span rows, int planes, int width);

}  // namespace somaflow
