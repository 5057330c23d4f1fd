// Compares Flood with a plain watershed on random components, of all types and methods, with all that may be asked of cells, in
// memory and in a file; then measures it.
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
#include <numeric>
#include <string>
#include <thread>
#include <utility>

#include "test/compared.h"
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

// What was asked of cells beyond sizes and measures, as far as there are any.
void note_what_is_asked(const PlainFlood& expected, const FloodRules& rules, const std::vector<Cells>& components) {
  const size_t width = rules.row_width();
  for (size_t row = 0; row * width < expected.rows.size(); ++row) {
    const double* const numbers = expected.rows.data() + row * width;
    const int flags = rules.flags ? static_cast<int>(numbers[rules.flags_at()]) : 0;
    note("numbers of seeds", rules.seed_values);
    note("centroids between voxels", rules.centroid && numbers[rules.centroid_at()] != std::floor(numbers[rules.centroid_at()]));
    note("boxes", rules.box);
    note("cells on an edge", flags & 1);
    note("cells inside", rules.flags && !(flags & 1));
    note("cells with a saturated voxel", flags / 2);
    note("numbers reserved", rules.reserved);
  }
  note("runs of cells", static_cast<int>(expected.runs.size()));
  note("values of cells", expected.values.empty() ? 0 : static_cast<int>(expected.values[0].size()));
  for (const Cells& cells : components) {
    if (!rules.centroid) break;
    const Places places(cells.voxels);
    for (const std::vector<size_t>& of : plain_cells(cells, places, plain_seeds(cells, places, rules)))
      note("centroids of voxels without weight", !(plain_measure(cells.values[0], of, Method::sum) > 0));
  }
}

// All runs and values, copied in pieces of any length, some of them twice.
GivenVoxels copied(CellVoxels& voxels, const FloodRules& rules) {
  GivenVoxels all{{}, std::vector<std::vector<uint8_t>>(rules.voxel_channels.size())};
  for (size_t from = 0; from < voxels.run_count();) {
    const size_t count = static_cast<size_t>(draw(1, 20));
    if (chance(20)) voxels.copy(rules, static_cast<size_t>(draw(0, static_cast<int>(from))), 3);
    const GivenVoxels more = voxels.copy(rules, from, count);
    note("runs copied in pieces", from > 0);
    all.runs.insert(all.runs.end(), more.runs.begin(), more.runs.end());
    for (size_t i = 0; i < all.values.size(); ++i) all.values[i].insert(all.values[i].end(), more.values[i].begin(), more.values[i].end());
    from += count;
  }
  return all;
}

// The voxels in reverse order of rows, put back.
GivenVoxels twice_reversed(const CellVoxels& voxels, const FloodRules& rules, size_t rows) {
  std::vector<size_t> order(rows);
  std::iota(order.rbegin(), order.rend(), size_t{0});
  const GivenVoxels reversed = voxels.sorted(rules, order);
  CellVoxels again;
  size_t count = reversed.runs.size() / kCellRunNumbers, voxel_count = 0;
  for (size_t run = 0; run < count; ++run) voxel_count += static_cast<size_t>(reversed.runs[run * kCellRunNumbers + 3]);
  const CellVoxels::Part part = again.add(count, voxel_count, rules);
  std::copy(reversed.runs.begin(), reversed.runs.end(), reinterpret_cast<int32_t*>(part.runs));
  uint8_t* values = part.values;
  for (const std::vector<uint8_t>& channel : reversed.values) values = std::copy(channel.begin(), channel.end(), values);
  bool in_order = true;
  for (size_t run = 1; run < count; ++run) in_order &= part.runs[run - 1].row <= part.runs[run].row;
  expect(in_order, "runs sorted by row");
  return again.sorted(rules, order);
}

void check_components(Flood& flood, const std::string& folder) {
  const FloodRules rules = draw_rules();
  note(std::string(kMethods[static_cast<int>(rules.method)]) + " of " + kTypes[static_cast<int>(rules.channels[0])]);
  note("unlike types", std::set<Dtype>(rules.channels.begin(), rules.channels.end()).size() > 1);
  const Site site = draw_site();
  // The voxels of cells lie in memory, in files, or partly so.
  const size_t chunk = chance(50) ? size_t{1} << 18 : static_cast<size_t>(draw(0, 2000)), memory = chance(30) ? 1000 : SIZE_MAX;
  FloodOutput out{{}, CellVoxels(chunk, memory, folder)};
  FloodOutput later;
  PlainFlood expected;
  const std::vector<Cells> components = draw_components(rules, site);
  const int parts = draw(1, 2);
  for (const Cells& cells : components) {
    const bool mixed = chance(70), in_file = chance(10);
    Packed packed = pack(cells, rules, mixed);
    note_what_is_drawn(cells, rules, packed, mixed);
    note("in a file", in_file);
    const std::atomic<bool> stop{false};
    const bool is_later = parts == 2 && &cells >= components.data() + components.size() / 2;
    flood.divide(packed.view(), rules, site.volume, is_later ? later : out, stop, in_file ? 0 : SIZE_MAX, folder);
    plain_flood(expected, cells, rules, site.volume);
  }
  note_what_is_asked(expected, rules, components);
  // As the chain puts together what its threads leave.
  note("voxels of two floods", later.voxels.run_count() > 0 && out.voxels.run_count() > 0);
  out.voxels.absorb(std::move(later.voxels), static_cast<int32_t>(out.rows.size() / rules.row_width()));
  out.rows.insert(out.rows.end(), later.rows.begin(), later.rows.end());
  expect(same_bits(out.rows, expected.rows), described(rules));
  if (!rules.voxels) return expect(out.voxels.run_count() == 0, "voxels that nobody asked for");
  expect(same_voxels(copied(out.voxels, rules), expected, rules), "the voxels of cells, copied");
  std::vector<size_t> order(out.rows.size() / rules.row_width());
  std::iota(order.begin(), order.end(), size_t{0});
  expect(same_voxels(out.voxels.sorted(rules, order), expected, rules), "the voxels of cells, in the order of floods");
  expect(same_voxels(twice_reversed(out.voxels, rules, order.size()), expected, rules), "the voxels of cells, sorted");
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
  PlainFlood expected;
  plain_flood(expected, cells, rules, {});
  expect(same_bits(out.rows, expected.rows), "a float32 component of 294,000 voxels");
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

// With `everything`: centroids, boxes, flags, and the voxels with their values.
void measure(int balls, Dtype dtype, bool everything) {
  FloodRules rules{{dtype}, Method::max, true};
  rules.centroid = rules.box = rules.flags = rules.voxels = everything;
  if (everything) rules.saturated_channel = 0;
  if (everything) rules.voxel_channels = {0};
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
    out.voxels = CellVoxels();
    const auto start = std::chrono::steady_clock::now();
    for (Packed& packed : components) flood.divide(packed.view(), rules, {}, out, stop);
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(seconds.begin(), seconds.end());
  std::printf("%-7s %d balls, %3zu voxels%s: %5.1f (%5.1f) ns a voxel\n", kTypes[static_cast<int>(dtype)], balls, voxels / components.size(),
              everything ? ", everything asked" : "", 1e9 * seconds[0] / double(voxels), 1e9 * seconds[seconds.size() / 2] / double(voxels));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "all";
  if (mode != "bench") check();
  if (mode != "check") {
    std::printf("floods of components of overlapping balls, one thread, best (median)\n");
    for (const Dtype dtype : {Dtype::u8, Dtype::u16, Dtype::f32})
      for (const int balls : {1, 2, 4, 8})
        for (const bool everything : {false, true}) measure(balls, dtype, everything);
  }
  return wrong ? 1 : 0;
}
