#include "chain/flood.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "chain/measures.h"
#include "chain/neighbours.h"
#include "chain/pieces.h"
#include "chain/properties.h"
#include "chain/ranks.h"

namespace somaflow {

namespace {

// By what voxels are queued: integers by their values, floats by the ranks of theirs.
template <typename T>
using LevelOf = std::conditional_t<std::is_integral_v<T>, T, uint32_t>;

// What a flood works on. Everything that grows with the component is here, so that it may lie in a file.
template <typename T>
struct Workspace {
  Workspace(Cutter cutter, size_t voxels, size_t runs, size_t seeds)
      : pieces(cutter.cut<Piece>(runs)),
        levels(cutter.cut<LevelOf<T>>(voxels)),
        flags(cutter.cut<uint8_t>(voxels)),
        labels(cutter.cut<uint32_t>(voxels)),
        next(cutter.cut<uint32_t>(voxels)),
        links(cutter.cut<uint32_t>(4 * voxels)),
        seed_voxels(cutter.cut<uint32_t>(seeds)),
        queue(cutter.cut<std::byte>(std::is_integral_v<T> ? 0 : LevelQueue::bytes(voxels))),
        bytes(cutter.taken()) {}

  Piece* pieces;
  LevelOf<T>* levels;
  uint8_t* flags;
  uint32_t* labels;  // 0: not reached; else 1 + the seed
  uint32_t* next;    // in the queue of a level
  uint32_t* links;
  uint32_t* seed_voxels;
  std::byte* queue;
  size_t bytes;
};

template <typename Level>
class Watershed {
 public:
  Watershed(Neighbours neighbours, const Level* levels, uint32_t* labels, uint32_t* next, uint32_t* seed_voxels,
            const std::atomic<bool>& stop)
      : neighbours_(neighbours), levels_(levels), labels_(labels), next_(next), seed_voxels_(seed_voxels), stop_(stop) {}

  // Finds the seeds' voxels; seeds and pieces are in order, so that one walk along both does.
  void find(const Seed* seeds, size_t count, const Piece* piece) {
    for (size_t i = 0; i < count; ++i) {
      const Seed& seed = seeds[i];
      while (piece->run.z != seed.z || piece->run.y != seed.y || piece->run.x + piece->run.length <= seed.x) ++piece;
      seed_voxels_[i] = piece->first + static_cast<uint32_t>(seed.x - piece->run.x);
    }
  }

  // Keeps, of seeds on one plateau of equal value, the first in z, y, x order, and returns how many are left.
  size_t merge_plateaus(Seed* seeds, size_t count) {
    // Labels and queue are not in use before the flood: they serve for the seeds' levels and as the walk's stack.
    Level* const sorted = reinterpret_cast<Level*>(labels_);
    for (size_t i = 0; i < count; ++i) sorted[i] = levels_[seed_voxels_[i]];
    std::sort(sorted, sorted + count);
    size_t kept = 0;
    for (size_t i = 0; i < count; ++i) {
      const uint32_t start = seed_voxels_[i];
      if (neighbours_.marked(start)) continue;
      seeds[kept] = seeds[i];
      seed_voxels_[kept++] = start;
      const auto [low, high] = std::equal_range(sorted, sorted + count, levels_[start]);
      if (high - low > 1) mark_plateau(start);
    }
    return kept;
  }

  // Labels every voxel. An early end leaves the queue empty all the same, for the next flood.
  void spread(size_t seed_count, size_t voxels, LevelQueue queue) {
    queue.link_by(next_);
    std::memset(labels_, 0, voxels * sizeof(uint32_t));
    for (size_t i = 0; i < seed_count; ++i) {
      labels_[seed_voxels_[i]] = static_cast<uint32_t>(i + 1);
      queue.push(seed_voxels_[i], levels_[seed_voxels_[i]]);
    }
    while (!queue.empty()) {
      if (stop_.load(std::memory_order_relaxed)) return queue.clear();
      const uint32_t voxel = queue.pop();
      const uint32_t label = labels_[voxel];
      neighbours_.visit_all(voxel, [&](uint32_t near) {
        if (labels_[near] != 0) return;
        labels_[near] = label;
        queue.push(near, levels_[near]);
      });
    }
  }

 private:
  void mark_plateau(uint32_t start) {
    const Level level = levels_[start];
    size_t depth = 0;
    const auto visit = [&](uint32_t voxel) {
      if (levels_[voxel] == level && neighbours_.mark(voxel)) next_[depth++] = voxel;
    };
    visit(start);
    while (depth > 0 && !stop_.load(std::memory_order_relaxed)) neighbours_.visit_all(next_[--depth], visit);
  }

  Neighbours neighbours_;
  const Level* levels_;
  uint32_t* labels_;
  uint32_t* next_;
  uint32_t* seed_voxels_;
  const std::atomic<bool>& stop_;
};

// One seed takes the whole component, which needs no flood, and an order of the runs only where something depends on it.
void measure_whole(const ComponentView& component, const FloodRules& rules, const VolumeExtent& volume, FloodOutput& out,
                   Scratch& scratch, const std::atomic<bool>& stop, size_t limit, const std::string& folder) {
  const size_t start = out.rows.size(), count = component.run_count;
  begin_cell(component.seeds[0], component.seed_values, rules, out.rows);
  double* const row = out.rows.data() + start;
  const auto in_order = [](const Run& a, const Run& b) { return before(a, b); };
  const bool as_they_come = !rules.order_matters() || std::is_sorted(component.runs, component.runs + count, in_order);
  const Piece* pieces = nullptr;
  if (!as_they_come || rules.any_property() || rules.voxels) {
    Piece* const cut = Cutter(scratch.take(count * sizeof(Piece), limit, folder)).cut<Piece>(count);
    order_runs(component.runs, count, rules.voxel_bytes(), cut);
    pieces = cut;
  }
  if (as_they_come) add_runs(component.runs, count, component.values, rules, row);
  else
    for (const Piece* piece = pieces; piece != pieces + count; ++piece)
      add_runs(&piece->run, 1, component.values + piece->values, rules, row);
  double weight;
  uint64_t cursors[2];
  if (rules.any_property()) add_properties(pieces, count, component.values, nullptr, rules, volume, &weight, row, 1, stop);
  if (rules.voxels)
    give_voxels(pieces, count, component.values, nullptr, rules, out.rows, start / rules.row_width(), cursors, out.voxels, stop);
  end_cell(rules, row);
}

}  // namespace

size_t Flood::scratch_bytes(size_t voxels, size_t runs, size_t seeds, const FloodRules& rules) {
  return with_type(rules.channels[0], [&]<typename T>() { return Workspace<T>(Cutter(), voxels, runs, seeds).bytes; });
}

Flood& Flood::of_this_thread() {
  thread_local Flood flood;
  return flood;
}

// A queue of more levels than are asked for serves as well, as it is empty.
LevelQueue Flood::kept_queue(size_t levels) {
  if (kept_levels_ < levels) {
    kept_ = LevelQueue(kept_memory_.take(LevelQueue::bytes(levels)), levels);
    kept_levels_ = levels;
  }
  return kept_;
}

void Flood::divide(const ComponentView& component, const FloodRules& rules, const VolumeExtent& volume, FloodOutput& out,
                   const std::atomic<bool>& stop, size_t limit, const std::string& folder) {
  if (component.seed_count == 0) return;
  if (component.seed_count == 1) return measure_whole(component, rules, volume, out, scratch_, stop, limit, folder);
  const auto stopped = [&] { return stop.load(std::memory_order_relaxed); };
  const auto [runs, run_count, values, seeds, seed_count, seed_values] = component;
  size_t voxels = 0;
  for (size_t i = 0; i < run_count; ++i) voxels += static_cast<size_t>(runs[i].length);
  std::sort(seeds, seeds + seed_count, [](const Seed& a, const Seed& b) { return before(a, b); });
  std::vector<double>& rows = out.rows;
  const size_t start = rows.size(), width = rules.row_width();

  with_type(rules.channels[0], [&]<typename T>() {
    std::byte* const memory = scratch_.take(scratch_bytes(voxels, run_count, seed_count, rules), limit, folder);
    const Workspace<T> work(Cutter(memory), voxels, run_count, seed_count);
    order_runs(runs, run_count, rules.voxel_bytes(), work.pieces);
    size_t levels = 0;
    if constexpr (std::is_integral_v<T>) {
      levels = size_t{1} << 8 * sizeof(T);
      for (const Piece* piece = work.pieces; piece != work.pieces + run_count; ++piece)
        std::memcpy(work.levels + piece->first, values + piece->values, static_cast<size_t>(piece->run.length) * sizeof(T));
    } else {
      // The links, not made yet, have room for what the ranks are found in.
      levels = rank_values(work.pieces, run_count, values, voxels, work.levels, reinterpret_cast<uint64_t*>(work.links), stop);
    }
    Neighbours neighbours(work.pieces, run_count, work.links, work.flags);
    if (!stopped()) neighbours.link(voxels, stop);
    if (stopped()) return;

    Watershed<LevelOf<T>> watershed(neighbours, work.levels, work.labels, work.next, work.seed_voxels, stop);
    watershed.find(seeds, seed_count, work.pieces);
    const size_t cells = rules.merge_plateaus ? watershed.merge_plateaus(seeds, seed_count) : seed_count;
    watershed.spread(cells, voxels, std::is_integral_v<T> ? kept_queue(levels) : LevelQueue(work.queue, levels));
    if (stopped()) return;
    for (size_t i = 0; i < cells; ++i) begin_cell(seeds[i], seed_values, rules, rows);
    add_labelled(work.pieces, run_count, values, work.labels, rules, rows.data() + start, stop);
    // The links, no longer in use, have room for four numbers a voxel, of which every cell has one.
    if (rules.any_property())
      add_properties(work.pieces, run_count, values, work.labels, rules, volume, reinterpret_cast<double*>(work.links),
                     rows.data() + start, cells, stop);
    if (rules.voxels)
      give_voxels(work.pieces, run_count, values, work.labels, rules, rows, start / width,
                  reinterpret_cast<uint64_t*>(work.links), out.voxels, stop);
    for (size_t i = 0; i < cells; ++i) end_cell(rules, rows.data() + start + i * width);
  });
}

}  // namespace somaflow
