#include "bench/image_steps.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <type_traits>

#include "bench/rate.h"

namespace somaflow::bench {

namespace {

template <typename T>
constexpr Dtype dtype_of = std::is_same_v<T, float> ? Dtype::f32 : Dtype::u16;

// As the rings of a run are: aligned, and not fresh, since the first touch of a page takes longer than most steps.
struct Ring {
  explicit Ring(size_t bytes)
      : memory(static_cast<std::byte*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64)), &std::free) {
    std::memset(memory.get(), 0, bytes);
  }
  std::unique_ptr<std::byte, decltype(&std::free)> memory;
};

}  // namespace

ImageStep opening(int size, Dtype dtype) { return {OpeningStep{{size, size, true, true}}, {}, dtype}; }

ImageStep dog(int z, int y, int x) {
  DogStep step;
  step.options.size = {z, y, x};
  for (size_t axis = 0; axis < 3; ++axis) {
    step.options.sigma2[axis] = step.options.size[axis] / 2.0 / std::sqrt(2 * std::log(2.0));
    step.options.sigma[axis] = step.options.sigma2[axis] / 1.5;
  }
  return {step, {z / 2, z - 1 - z / 2}, Dtype::f32};
}

ImageStep equalize() {
  EqualizeStep step;
  step.percentiles = {0.5, 0.95};
  step.max_value = 1.5;
  step.window = {5, 200, 200};
  step.spacing = {5, 50, 50};
  const int window = step.window[0], spacing = step.spacing[0];
  return {step, {spacing - 1 + window / 2, spacing + window - 2 - window / 2}, Dtype::f32};
}

ImageStep illumination(const std::vector<double>& flatfield, Dtype dtype) {
  return {IlluminationStep{flatfield.data(), nullptr, 1000}, {}, dtype};
}

template <typename T>
double run_step(const Volume<T>& volume, Target target, const ImageStep& step,
                const std::function<void(const Images&, int32_t)>& made) {
  ChainConfig config;
  config.target = target;
  config.depth = volume.depth;
  config.height = volume.height;
  config.width = volume.width;
  config.core = config.read = {{0, volume.depth}, {0, volume.height}, {0, volume.width}};
  config.images.resize(2);
  for (ImageConfig& image : config.images) {
    image.z = config.core.z;
    image.y = config.core.y;
    image.x = config.core.x;
  }
  config.images[0].dtype = dtype_of<T>;
  config.images[1].dtype = step.dtype;
  config.images[1].from = 0;
  config.images[1].window_z = step.window_z;
  config.images[1].step = step.step;
  const Ring input(Images::input_bytes(config)[0]), workspace(Images::workspace_bytes(config, 1));
  Images images(config, {input.memory.get()}, {}, workspace.memory.get());
  const std::atomic<bool> stop{false};
  const size_t plane_bytes = volume.plane_voxels() * sizeof(T);
  double seconds = 0;
  for (int32_t z = 0; z < volume.depth; ++z) {
    std::memcpy(input.memory.get() + static_cast<size_t>(z % config.source_planes()) * plane_bytes, volume.plane(z), plane_bytes);
    seconds += seconds_of([&] { images.arrive(z + 1, z + 1 == volume.depth, 1, stop); });
    for (auto turn = Images::Turn::more; turn == Images::Turn::more;) {
      seconds += seconds_of([&] { turn = images.advance(1, stop); });
      if (turn == Images::Turn::more && made) made(images, images.made(1) - 1);
    }
  }
  return seconds;
}

Volume<uint16_t> result_of(const Volume<uint16_t>& volume, Target target, const ImageStep& step) {
  Volume<uint16_t> result = volume.like<uint16_t>();
  run_step(volume, target, step, [&](const Images& images, int32_t z) {
    images.copy(1, z, {0, volume.height}, {0, volume.width}, reinterpret_cast<std::byte*>(result.plane(z)));
  });
  return result;
}

template double run_step(const Volume<uint16_t>&, Target, const ImageStep&, const std::function<void(const Images&, int32_t)>&);
template double run_step(const Volume<float>&, Target, const ImageStep&, const std::function<void(const Images&, int32_t)>&);

}  // namespace somaflow::bench
