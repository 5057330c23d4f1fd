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

// Planes [from, to) of an image that is made outside. Their windows have been copied out, as far as there are planes: those from 0
// up to the one before `end`.
struct PlanesWanted {
  int32_t image, from, to, end;
};

// Memory of an image that is made outside: a ring of its planes, and one of the planes of each image that it is made of. Plane z
// lies at z % planes; rows and columns are those of the image, packed.
struct ExternalRing {
  int32_t image, planes;
  size_t bytes;
};
struct ExternalNeeds {
  ExternalRing result;
  std::vector<ExternalRing> windows;
};

class Images {
 public:
  // `inputs` are the rings that the caller fills, in the order of the images that are inputs; then that of the tissue, if asked.
  // Plane z lies at (z - read.z.start) % source_planes(). `external` are the rings of external_needs, one image after another, that of
  // the result first. `workspace` has workspace_bytes.
  Images(const ChainConfig& config, std::vector<std::byte*> inputs, std::vector<std::byte*> external, std::byte* workspace);

  static std::vector<size_t> input_bytes(const ChainConfig& config);
  static std::vector<ExternalNeeds> external_needs(const ChainConfig& config);
  static size_t workspace_bytes(const ChainConfig& config, int width);

  // Takes planes that have arrived, up to those before `arrived`; with `last` no more come. Throws std::runtime_error, naming the
  // voxel, if one of a float image is no finite number.
  void arrive(int32_t arrived, bool last, int width, const std::atomic<bool>& stop);

  // A turn makes the next planes of every image, up to batch_planes of each, as far as those that they take are there. It
  // stops where planes are wanted of outside, and goes on from there once they have come. `ended` if there was nothing to make.
  enum class Turn { ended, more, waits };
  Turn advance(int width, const std::atomic<bool>& stop);

  // What the turn waits for.
  const PlanesWanted& wanted() const { return wanted_; }
  // Says that it has come. Throws as `arrive` does.
  void come(int width, const std::atomic<bool>& stop);

  // The first plane of an image that is not there, and whether there will be more.
  int32_t made(int32_t image) const { return made_[static_cast<size_t>(image)]; }
  bool complete(int32_t image) const { return made(image) >= end(image); }
  // The plane of an image behind its last, as far as that is known: the volume's end where a window reaches beyond it.
  int32_t end(int32_t image) const { return std::min(config_.images[static_cast<size_t>(image)].z.stop, end_); }

  // Copies a box of rows and columns of a plane of an image, packed.
  void copy(int32_t image, int32_t z, Span rows, Span columns, std::byte* into) const;

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
    int32_t first;  // the plane that lies at the ring's beginning
  };
  // Windows of an image that is made outside, on their way out.
  struct Copies {
    int32_t image;
    std::byte* data;
    int32_t planes;
    int32_t copied;  // the first plane that is not there yet
  };
  ImagePlane plane_of(const Ring& ring, int32_t z) const;
  void check(int32_t image, int32_t from, int32_t to, int width, const std::atomic<bool>& stop);
  void make(int32_t image, int32_t from, int32_t to, int width, const std::atomic<bool>& stop);
  void copy_windows(int32_t image, int32_t to, int width, const std::atomic<bool>& stop);

  const ChainConfig& config_;
  std::vector<Ring> rings_;
  Ring tissue_{};
  std::vector<std::unique_ptr<Stage>> stages_;  // one an image, none for those that come from outside
  std::vector<std::vector<Copies>> copies_;      // for each image that is made outside
  std::vector<int32_t> made_;                    // for each image, the first plane that is not there
  std::byte* scratch_;
  size_t scratch_bytes_ = 0;  // of each thread
  int32_t arrived_;           // the first plane that has not arrived
  int32_t end_;               // the first plane that there never will be, once known
  size_t next_ = 0;           // the image at which the turn under way goes on
  bool any_ = false;          // whether it has made anything
  PlanesWanted wanted_{};
};

// Rows of a band of a plane: as many as keep every thread busy, but not so few that an opening, which reads rows beyond the
// band, works twice on many; and few enough that a stop is noticed soon.
int cut_bands(const ChainConfig& config, Span rows, int planes, int width);

}  // namespace somaflow
