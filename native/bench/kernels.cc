// How fast each kernel is alone, on one thread, beside what memory does: one line of JSON each.
//
//     kernels DENSE.npy CROWDED.npy [--planes 64] [--rows 512] [--target avx512]
//
// Both are (z, y, x) arrays of uint16, of which the first rows of the first planes count, as in a block that a chain is given by default;
// of the crowded one, voxels of cells are 8 % or more.

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bench/cell_steps.h"
#include "bench/image_steps.h"
#include "bench/rate.h"
#include "bench/volume.h"

using namespace somaflow;
using namespace somaflow::bench;

namespace {

struct Asked {
  std::vector<std::string> volumes;
  int32_t planes = 64, rows = 512;
  Target target = Target::portable;
};

Asked read_arguments(int argc, char** argv) {
  Asked asked;
  for (const auto& [target, name] : kTargets)
    if (supported(target)) asked.target = target;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with("--") && i + 1 == argc) throw std::runtime_error(argument + ": expected a value");
    if (argument == "--planes" || argument == "--rows") {
      (argument == "--planes" ? asked.planes : asked.rows) = std::atoi(argv[++i]);
    } else if (argument == "--target") {
      const std::string_view named = argv[++i];
      bool known = false;
      for (const auto& [target, name] : kTargets)
        if (named == name && supported(target)) asked.target = target, known = true;
      if (!known) throw std::runtime_error("--target: expected one that this CPU runs, got " + std::string(named));
    } else {
      asked.volumes.push_back(argument);
    }
  }
  if (asked.volumes.size() != 2 || asked.planes < 1 || asked.rows < 1)
    throw std::runtime_error("expected DENSE.npy CROWDED.npy [--planes N] [--rows N] [--target NAME]");
  return asked;
}

void print(const std::string& kernel, double rate, const std::string& more = "") {
  std::printf("{\"kernel\":\"%s\",\"mvoxelPerSecond\":%.6g%s}\n", kernel.c_str(), rate, more.c_str());
  std::fflush(stdout);
}

void print_found(const std::string& kernel, double rate, size_t found) { print(kernel, rate, ",\"found\":" + std::to_string(found)); }

void measure_memory(const Volume<uint16_t>& volume) {
  Volume<uint16_t> copy = volume.like<uint16_t>();
  const size_t voxels = volume.voxels.size();
  print("memcpy", rate(voxels, [&] {
          return seconds_of([&] { std::memcpy(copy.voxels.data(), volume.voxels.data(), voxels * sizeof(uint16_t)); });
        }));
  uint64_t sum = 0;
  const auto* const words = reinterpret_cast<const uint64_t*>(volume.voxels.data());
  const double read = rate(voxels, [&] { return seconds_of([&] { sum += std::accumulate(words, words + voxels / 4, uint64_t{0}); }); });
  // Printed, so that it has to be computed.
  print("read-only sum", read, ",\"sum\":" + std::to_string(sum % 65536));
}

template <typename T>
void measure_step(const std::string& kernel, const Volume<T>& volume, Target target, const ImageStep& step) {
  print(kernel, rate(volume.voxels.size(), [&] { return run_step(volume, target, step); }));
}

void measure_images(const Volume<uint16_t>& source, const Volume<uint16_t>& background, Target target) {
  for (const int size : {10, 11, 30, 50, 100}) measure_step("opening " + std::to_string(size), source, target, opening(size, Dtype::u16));
  Volume<float> floats = background.like<float>();
  for (size_t i = 0; i < floats.voxels.size(); ++i) floats.voxels[i] = background.voxels[i];
  for (const auto& [name, step] : {std::pair{"dog 6,10,10", dog(6, 10, 10)}, std::pair{"dog 5,7,7", dog(5, 7, 7)}}) {
    measure_step(name, background, target, step);
    measure_step(std::string(name) + " of float32", floats, target, step);
  }
  measure_step("equalize", background, target, equalize());
  // Lit to 1000 in the middle of its planes and less towards their edges, as a measured flat field would be.
  std::vector<double> flatfield(source.plane_voxels());
  for (size_t i = 0; i < flatfield.size(); ++i) {
    const double y = static_cast<double>(i / static_cast<size_t>(source.width)) / source.height - 0.5;
    flatfield[i] = 600 + 400 * std::exp(-8 * y * y);
  }
  measure_step("illumination", source, target, illumination(flatfield, Dtype::u16));
}

void measure_cells(Volume<uint16_t>& source, Volume<uint16_t>& background, Target target) {
  const CellSteps steps(background, source, target);
  const size_t voxels = source.voxels.size();
  constexpr double threshold = 700;  // of the default chain
  for (const int window : {5, 9}) {
    const std::string name = "maxima " + std::to_string(window);
    const double dense = rate(voxels, [&] { return steps.maxima(window, 0); });
    print_found(name, dense, steps.found());
    const double sparse = rate(voxels, [&] { return steps.maxima(window, threshold); });
    print_found(name + " above 700", sparse, steps.found());
  }
  for (const int height : {20, 100}) {
    const double kept = rate(voxels, [&] { return steps.maxima(5, threshold, height); });
    print_found("hMax " + std::to_string(height), kept, steps.found());
  }
  const double runs = rate(voxels, [&] { return steps.runs(threshold); });
  print_found("runs", runs, steps.found());
}

void measure_watershed(Volume<uint16_t>& source, Volume<uint16_t>& background, int percent, Target target) {
  const CellSteps steps(background, source, target);
  const uint16_t threshold = value_above_which(background, percent / 100.0);
  const double cells = rate(source.voxels.size(), [&] { return steps.watershed(threshold); });
  print_found("watershed, " + std::to_string(percent) + " % masked", cells, steps.found());
}

void measure(const Asked& asked) {
  Volume<uint16_t> dense = read_volume(asked.volumes[0], asked.planes, asked.rows);
  measure_memory(dense);
  Volume<uint16_t> background = result_of(dense, asked.target, opening(10, Dtype::u16));
  measure_images(dense, background, asked.target);
  measure_cells(dense, background, asked.target);
  measure_watershed(dense, background, 1, asked.target);
  Volume<uint16_t> crowded = read_volume(asked.volumes[1], asked.planes, asked.rows);
  background = result_of(crowded, asked.target, opening(10, Dtype::u16));
  measure_watershed(crowded, background, 8, asked.target);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    measure(read_arguments(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "kernels: %s\n", error.what());
    return 1;
  }
  return 0;
}
