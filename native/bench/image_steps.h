// The steps that make images, run plane by plane as a chain runs them: from the ring of its input into the ring of the result.
#pragma once

#include <functional>

#include "bench/volume.h"
#include "chain/config.h"
#include "chain/images.h"

namespace somaflow::bench {

// A step, the planes that each of its planes takes, and the type of its result.
struct ImageStep {
  StepConfig step;
  Window window_z;
  Dtype dtype;
};

ImageStep opening(int size, Dtype dtype);
ImageStep dog(int z, int y, int x);
ImageStep equalize();
// By a flat field of the planes' extent.
ImageStep illumination(const std::vector<double>& flatfield, Dtype dtype);

// Makes all planes of a step's result on one thread, each told to `made` as long as it is there. Gives the seconds of the native code
// alone: the planes are put into the input's ring by somebody else in a run as well.
template <typename T>
double run_step(const Volume<T>& volume, Target target, const ImageStep& step,
                const std::function<void(const Images& images, int32_t z)>& made = {});

// The result of a step that keeps the type, whole.
Volume<uint16_t> result_of(const Volume<uint16_t>& volume, Target target, const ImageStep& step);

}  // namespace somaflow::bench
