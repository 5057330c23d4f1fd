// A step that makes an image: each plane of it from planes of another image around it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "chain/config.h"
#include "chain/image_plane.h"

namespace somaflow {

class Images;

// One for each image of a chain that is not an input. `make` is called by several threads at a time, `prepare` by one.
class Stage {
 public:
  virtual ~Stage() = default;

  // Bytes of scratch that each thread brings.
  virtual size_t scratch_bytes() const = 0;

  // Gets ready for planes [from, to), whose windows are there, on up to `width` threads, each with its scratch `scratch_stride` bytes
  // behind that of the one before.
  virtual void prepare(const Images&, int32_t /*from*/, int32_t /*to*/, int /*width*/, const std::atomic<bool>&,
                       std::byte* /*scratch*/, size_t /*scratch_stride*/) {}

  // Makes rows of plane z, whose window is there.
  virtual void make(const Images& images, int32_t z, Span rows, ImagePlane out, std::byte* scratch) const = 0;
};

std::unique_ptr<Stage> make_stage(const ChainConfig& config, const ImageConfig& image);

}  // namespace somaflow
