// Compares openings of the tiles that count with those of whole planes, on drawn planes of few bright spots. By hand:
//   g++ -std=c++20 -O3 -ffp-contract=off -fno-math-errno -I native native/test/tiles_test.cc native/kernels/{opening*,rows}.cc
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kernels/opening_chain.h"
#include "kernels/opening_tiles.h"

using namespace somaflow;

namespace {

std::mt19937_64 generator(20241125);
int64_t draw(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(generator); }

std::map<std::string, int> reached;
int wrong = 0;

void right(bool is, const char* what) {
  if (!is && ++wrong <= 20) std::printf("WRONG: %s\n", what);
}

/// A dim plane with spots, each brighter than what is around it; from none to many.
template <typename T>
std::vector<T> spotted(int64_t height, int64_t width) {
  std::vector<T> plane(static_cast<size_t>(height * width));
  for (T& pixel : plane) pixel = static_cast<T>(draw(0, 60));
  const int64_t most = draw(0, 3) == 0 ? 400 : 6;
  for (int64_t spot = draw(0, most); spot > 0; --spot) {
    const int64_t y = draw(0, height - 1), x = draw(0, width - 1), reach = draw(0, 4);
    for (int64_t at_y = std::max<int64_t>(0, y - reach); at_y <= std::min(height - 1, y + reach); ++at_y)
      for (int64_t at_x = std::max<int64_t>(0, x - reach); at_x <= std::min(width - 1, x + reach); ++at_x)
        plane[static_cast<size_t>(at_y * width + at_x)] = static_cast<T>(draw(80, 250));
  }
  return plane;
}

template <typename T>
void check(Target target) {
  const int64_t height = draw(1, 200), width = draw(1, 500);
  const std::vector<T> source = spotted<T>(height, width);
  const PlaneBox all = {0, height, 0, width};
  // A band that begins and ends anywhere: tiles are counted from its corner.
  const int64_t y0 = draw(0, height - 1), x0 = draw(0, width - 1);
  const PlaneBox box = draw(0, 1) == 0 ? all : PlaneBox{y0, draw(y0 + 1, height), x0, draw(x0 + 1, width)};
  const T limit = static_cast<T>(draw(0, 2) == 0 ? draw(0, 90) : 70);
  const int size_y = static_cast<int>(draw(1, 14)), size_x = draw(0, 1) == 0 ? size_y : static_cast<int>(draw(1, 14));
  const OpeningPlan plan({size_y, size_x, draw(0, 1) == 0, draw(0, 1) == 0}, sizeof(T));
  const std::unique_ptr<void, decltype(&std::free)> scratch(std::aligned_alloc(64, plan.scratch_bytes()), std::free);
  const int64_t rows = box.y1 - box.y0, columns = box.x1 - box.x0;
  std::vector<T> whole(static_cast<size_t>(rows * columns), T{7}), parts(whole);
  subtract_opening<T>(target, plan, source.data(), width, all, height, width, box, whole.data(), columns, scratch.get());
  const int64_t opened = subtract_opening_above<T>(target, plan, source.data(), width, all, height, width, box, parts.data(), columns,
                                                   scratch.get(), limit);
  int64_t counts = 0, elsewhere = 0;
  for (size_t i = 0; i < whole.size(); ++i) {
    if (whole[i] > limit) {
      ++counts;
      right(parts[i] == whole[i], "a pixel that counts");
    } else {
      right(parts[i] <= limit, "a pixel that does not count");
      elsewhere += parts[i] != whole[i];
    }
  }
  const std::vector<PlaneBox> boxes = boxes_above<T>(target, source.data(), width, all, box, limit);
  std::vector<uint8_t> in(whole.size(), 0);
  int64_t pixels = 0, tall = 0, beside = 0;
  for (size_t n = 0; n < boxes.size(); ++n) {
    const PlaneBox& part = boxes[n];
    pixels += (part.y1 - part.y0) * (part.x1 - part.x0);
    tall += part.y1 - part.y0 > kTileRows;
    beside += n > 0 && part.y0 == boxes[n - 1].y0;
    for (int64_t y = part.y0; y < part.y1; ++y)
      for (int64_t x = part.x0; x < part.x1; ++x) right(++in[static_cast<size_t>((y - box.y0) * columns + x - box.x0)] == 1, "boxes that overlap");
  }
  right(pixels == opened, "how many pixels were opened");
  ++reached[std::string("planes of ") + (sizeof(T) == 1 ? "uint8" : "uint16") + " by " + name_of(target)];
  reached["openings by chains"] += has_chain(plan.element());
  reached["pixels that count"] += static_cast<int>(counts > 0);
  reached["pixels that are 0 instead of something"] += elsewhere > 0;
  reached["nothing opened"] += opened == 0;
  reached["all opened"] += opened == rows * columns;
  reached["some tiles left out"] += opened > 0 && opened < rows * columns;
  reached["boxes of several rows of tiles"] += tall > 0;
  reached["boxes beside each other"] += beside > 0;
}

}  // namespace

int main() {
  for (const auto& [target, name] : kTargets) {
    if (!supported(target)) continue;
    for (int i = 0; i < 800; ++i) check<uint8_t>(target), check<uint16_t>(target);
  }
  std::printf("tiles:");
  for (const auto& [what, times] : reached) {
    std::printf(" %s %d,", what.c_str(), times);
    if (times == 0) ++wrong;
  }
  std::printf(" wrong %d\n", wrong);
  return wrong == 0 ? 0 : 1;
}
