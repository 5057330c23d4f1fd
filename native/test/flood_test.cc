// Compares Flood with a plain watershed on random components, of all types and methods, in memory and in a file; then measures it.
// With the argument `check` or `bench` it does only that; `npm run test:native` shows how it is compiled.
#include "chain/flood.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "test/drawn_components.h"
#include "test/plain_flood.h"

using namespace somaflow;
using namespace somaflow::test;

namespace {

constexpr const char* kTypes[] = {"uint8", "uint16", "float32"};
constexpr const char* kMethods[] = {"max", "min", "mean", "sum"};

// What was drawn, by name: nothing that the test is to reach may stay at 0.
std::map<std::string, int> reached;
int wrong = 0;

void note(const std::string& what, int times = 1) { reached[what] += times; }

void expect(bool right, const std::string& claim) {
  if (right) return;
  ++wrong;
  std::printf("WRONG: %s\n", claim.c_str());
}

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
}

std::string described(const FloodRules& rules) {
  std::string text = kMethods[static_cast<int>(rules.method)];
  for (const Dtype dtype : rules.channels) text += std::string(" ") + kTypes[static_cast<int>(dtype)];
  return text + (rules.merge_plateaus ? ", plateaus merged" : ", all seeds");
}

void note_what_is_drawn(const Cells& cells, const FloodRules& rules, const Packed& packed, bool mixed) {
  const std::vector<double>& image = cells.values[0];
  const size_t seeds = cells.seeds.size(), distinct = std::set<double>(image.begin(), image.end()).size();
  note("runs cut", packed.cuts);
  note("negative values", static_cast<int>(std::count_if(image.begin(), image.end(), [](double value) { return value < 0; })));
  note("without seeds", seeds == 0);
  note("one seed", seeds == 1);
  note("several seeds", seeds > 1);
  note("a seed on every voxel", seeds > 1 && seeds == image.size());
  note("several seeds, equal values", seeds > 1 && distinct < image.size());
  note("seeds merged", static_cast<int>(seeds - plain_seeds(cells, Places(cells.voxels), rules).size()));
  const Cells backwards{{cells.voxels.rbegin(), cells.voxels.rend()}, {{image.rbegin(), image.rend()}}, cells.seeds};
  const bool order_matters =
      rules.order_matters() && rules.channels[0] == Dtype::f32 && seeds == 1 &&
      plain_measure(image, plain_cells(cells, Places(cells.voxels), {0})[0], Method::sum) !=
          plain_measure(backwards.values[0], plain_cells(backwards, Places(backwards.voxels), {0})[0], Method::sum);
  note("one seed, runs in no order, a sum that depends on it", order_matters && mixed);
}

void check_components(Flood& flood, const std::string& folder) {
  const FloodRules rules = draw_rules();
  note(std::string(kMethods[static_cast<int>(rules.method)]) + " of " + kTypes[static_cast<int>(rules.channels[0])]);
  note("unlike types", std::set<Dtype>(rules.channels.begin(), rules.channels.end()).size() > 1);
  FloodOutput out;
  std::vector<double> expected;
  for (const Cells& cells : draw_components(rules)) {
    const bool mixed = chance(70), in_file = chance(10);
    Packed packed = pack(cells, rules, mixed);
    note_what_is_drawn(cells, rules, packed, mixed);
    note("in a file", in_file);
    const std::atomic<bool> stop{false};
    flood.divide(packed.view(), rules, {}, out, stop, in_file ? 0 : SIZE_MAX, folder);
    const std::vector<double> more = plain_flood(cells, rules);
    expected.insert(expected.end(), more.begin(), more.end());
  }
  expect(same_bits(out.rows, expected), described(rules));
}

// A box of voxels with a seed on one of 100.
Cells draw_box(int depth, int height, int width, const FloodRules& rules, Values kind) {
  Cells cells;
  for (int z = 0; z < depth; ++z)
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        cells.voxels.push_back({z, y, x});
        if (chance(1)) cells.seeds.push_back({z, y, x});
      }
  draw_values(cells, rules, kind);
  return cells;
}

// So many float values that the queue's bitmap has four tiers.
void check_many_levels(Flood& flood) {
  const FloodRules rules{{Dtype::f32}, Method::sum, true};
  const Cells cells = draw_box(60, 70, 70, rules, Values::wide);
  note("levels in four tiers", std::set<double>(cells.values[0].begin(), cells.values[0].end()).size() > 64 * 64 * 64);
  Packed packed = pack(cells, rules, true);
  FloodOutput out;
  const std::atomic<bool> stop{false};
  flood.divide(packed.view(), rules, {}, out, stop);
  expect(same_bits(out.rows, plain_flood(cells, rules)), "a float32 component of 294,000 voxels");
}

// A stop at any moment leaves nothing behind that the next flood would find.
void check_stops(Flood& flood, Dtype dtype) {
  const FloodRules rules{{dtype}, Method::max, false};
  Packed packed = pack(draw_box(30, 50, 50, rules, Values::wide), rules, true);
  FloodOutput whole;
  const auto timed = [&](FloodOutput& out, const std::atomic<bool>& stop) {
    const auto start = std::chrono::steady_clock::now();
    flood.divide(packed.view(), rules, {}, out, stop);
    return std::chrono::steady_clock::now() - start;
  };
  const auto taken = timed(whole, std::atomic<bool>{false});
  for (int part = 0; part < 24; ++part) {
    std::atomic<bool> stop{false};
    FloodOutput lost, again;
    std::thread stopper([&] {
      std::this_thread::sleep_for(taken * part / 24);
      stop = true;
    });
    timed(lost, stop);
    stopper.join();
    note("stopped", lost.rows.empty());
    timed(again, std::atomic<bool>{false});
    expect(same_bits(again.rows, whole.rows), std::string("after a stop, ") + kTypes[static_cast<int>(dtype)]);
  }
}

// The queue against lists in a map.
void check_queue(size_t levels) {
  const size_t bytes = LevelQueue::bytes(levels);
  const std::unique_ptr<std::byte, decltype(&std::free)> memory(static_cast<std::byte*>(std::aligned_alloc(64, bytes)), std::free);
  std::memset(memory.get(), 0x5a, bytes);
  std::vector<uint32_t> next(2000, 0x5a5a5a5a);
  LevelQueue queue(memory.get(), levels);
  queue.link_by(next.data());
  std::map<size_t, std::deque<uint32_t>> lists;
  const auto pop = [&] {
    auto& [level, list] = *lists.rbegin();
    const bool right = !queue.empty() && queue.pop() == list.front();
    list.pop_front();
    if (list.empty()) lists.erase(level);
    return right;
  };
  bool right = queue.empty();
  for (uint32_t pushed = 0; right && pushed < next.size();) {
    if (lists.empty() || chance(55)) {
      const size_t near = generator() % std::min<size_t>(levels, 70), choices[] = {0, levels - 1, near, levels - 1 - near, generator() % levels};
      const size_t level = choices[draw(0, 4)];
      queue.push(pushed, level);
      lists[level].push_back(pushed++);
    } else {
      right = pop();
    }
    right &= queue.empty() == lists.empty();
  }
  while (right && !lists.empty()) right = pop();
  expect(right && queue.empty(), "a queue of " + std::to_string(levels) + " levels");
}

void check() {
  const std::string folder = std::filesystem::temp_directory_path();
  for (const char* method : kMethods)
    for (const char* type : kTypes) note(std::string(method) + " of " + type, 0);
  Flood flood;  // one for all, as a thread's is
  for (int i = 0; i < 3000; ++i) check_components(flood, folder);
  check_many_levels(flood);
  for (const Dtype dtype : {Dtype::u8, Dtype::u16, Dtype::f32}) check_stops(flood, dtype);
  for (const size_t levels : {1, 2, 63, 64, 65, 256, 4096, 4097, 65536, 262144, 262145, 20000000}) check_queue(levels);
  std::printf("floods:");
  const char* between = " ";
  for (const auto& [what, times] : reached) {
    std::printf("%s%d %s", std::exchange(between, ", "), times, what.c_str());
    expect(times > 0, "nothing drawn was: " + what);
  }
  std::printf("; %d wrong\n", wrong);
}

void measure(int balls, Dtype dtype) {
  const FloodRules rules{{dtype}, Method::max, true};
  size_t voxels = 0;
  std::vector<Packed> components;
  for (int i = 0; i < 400; ++i) {
    const Cells cells = draw_balls(balls, dtype);
    voxels += cells.voxels.size();
    components.push_back(pack(cells, rules, false));
  }
  Flood flood;
  const std::atomic<bool> stop{false};
  FloodOutput out;
  std::vector<double> seconds;
  for (double total = 0; total < 0.3 || seconds.size() < 5; total += seconds.back()) {
    out.rows.clear();
    const auto start = std::chrono::steady_clock::now();
    for (Packed& packed : components) flood.divide(packed.view(), rules, {}, out, stop);
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(seconds.begin(), seconds.end());
  std::printf("%-7s %d balls, %3zu voxels: %5.1f (%5.1f) ns a voxel\n", kTypes[static_cast<int>(dtype)], balls, voxels / components.size(),
              1e9 * seconds[0] / double(voxels), 1e9 * seconds[seconds.size() / 2] / double(voxels));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "all";
  if (mode != "bench") check();
  if (mode != "check") {
    std::printf("floods of components of overlapping balls, one thread, best (median)\n");
    for (const Dtype dtype : {Dtype::u8, Dtype::u16, Dtype::f32})
      for (const int balls : {1, 2, 4, 8}) measure(balls, dtype);
  }
  return wrong ? 1 : 0;
}
