// Cuts volumes into cores at random, joins components in each plane by plane, sends what crosses cores by way of fragments, and
// compares the cells with a plain watershed of each component as a whole.
#include "chain/components.h"

#include <cstdio>
#include <filesystem>
#include <numeric>
#include <string>

#include "chain/fragments.h"
#include "chain/gathered.h"
#include "test/compared.h"
#include "test/drawn_components.h"
#include "test/plain_flood.h"

using namespace somaflow;
using namespace somaflow::test;

namespace {

// What was drawn, by name: nothing that the test is to reach may stay at 0.
std::map<std::string, int> reached;
int wrong = 0;

void note(const std::string& what, int times = 1) { reached[what] += times; }

// A voxel of a component, and what it brings if it is a seed.
struct Voxel {
  const Cells* of;
  size_t at;
  int seed = -1;
};
using Mask = std::map<Position, Voxel>;

Mask mask_of(const std::vector<Cells>& components) {
  Mask mask;
  for (const Cells& cells : components) {
    for (size_t i = 0; i < cells.voxels.size(); ++i) mask[cells.voxels[i]] = {&cells, i};
    for (size_t i = 0; i < cells.seeds.size(); ++i)
      mask[{cells.seeds[i].z, cells.seeds[i].y, cells.seeds[i].x}].seed = static_cast<int>(i);
  }
  return mask;
}

// One plane of a core: its runs in one or two bands of rows, and its seeds.
struct Plane {
  std::vector<PlaneMask> bands;
  std::vector<Seed> seeds;
  std::vector<double> seed_values;
};

Plane plane_of(const Mask& mask, const Box& core, int32_t z, const FloodRules& rules) {
  Plane plane;
  plane.bands.emplace_back();
  for (int32_t y = core.y.start; y < core.y.stop; ++y) {
    PlaneMask* band = &plane.bands.back();
    band->row_runs.push_back(static_cast<uint32_t>(band->runs.size()));
    std::vector<Voxel> run;
    const auto end_run = [&](int32_t x) {
      if (run.empty()) return;
      const int32_t length = static_cast<int32_t>(run.size());
      band->runs.push_back({x - length, length, static_cast<uint32_t>(band->values.size())});
      for (size_t channel = 0; channel < rules.channels.size(); ++channel)
        for (const Voxel& voxel : run) append_value(band->values, rules.channels[channel], voxel.of->values[channel][voxel.at]);
      run.clear();
    };
    for (int32_t x = core.x.start; x < core.x.stop; ++x) {
      const auto found = mask.find({z, y, x});
      if (found == mask.end()) {
        end_run(x);
        continue;
      }
      run.push_back(found->second);
      if (found->second.seed < 0) continue;
      plane.seeds.push_back({z, y, x});
      const std::vector<double>& own = found->second.of->seed_values[static_cast<size_t>(found->second.seed)];
      plane.seed_values.insert(plane.seed_values.end(), own.begin(), own.end());
    }
    end_run(core.x.stop);
    if (!chance(20) && y + 1 < core.y.stop) continue;
    band->row_runs.push_back(static_cast<uint32_t>(band->runs.size()));
    if (y + 1 < core.y.stop) plane.bands.emplace_back();
  }
  return plane;
}

// Fragments of all cores, numbered through, and which of them are one component.
struct Joined {
  std::vector<std::vector<uint8_t>> fragments;
  std::vector<FragmentHead> heads;
  std::vector<size_t> parent;

  size_t find(size_t i) const { return parent[i] == i ? i : find(parent[i]); }
  void join(size_t a, size_t b) { parent[find(a)] = find(b); }
};

// Takes a core's fragments, and returns the number of the first.
size_t take(Joined& joined, const Fragments& core) {
  const size_t first = joined.fragments.size();
  for (size_t i = 0; i < core.count(); ++i) {
    const double* const fields = core.index.data() + i * kFragmentFields;
    const uint8_t* const bytes = core.bytes.data() + static_cast<size_t>(fields[kOffset]);
    joined.fragments.emplace_back(bytes, bytes + static_cast<size_t>(fields[kBytes]));
    joined.heads.push_back(view_fragment(bytes).head);
    joined.parent.push_back(first + i);
  }
  for (size_t i = 0; i < core.links.size(); i += 2)
    joined.join(first + static_cast<size_t>(core.links[i]), first + static_cast<size_t>(core.links[i + 1]));
  return first;
}

// How a volume is divided into cores, and what a run knows of it.
struct Cut {
  const FloodRules& rules;
  const Site& site;
  const Mask& mask;
  std::vector<int32_t> cuts[3];  // where cores begin along z, y and x, and where the last ends
  bool depth_known;
  std::string folder;
};

Cut draw_run(const FloodRules& rules, const Site& site, const Mask& mask) {
  Cut run{rules, site, mask, {}, chance(50), std::filesystem::temp_directory_path()};
  const int32_t extent[] = {site.volume.depth, site.volume.height, site.volume.width};
  for (size_t axis = 0; axis < 3; ++axis) {
    std::set<int32_t> cuts{0, extent[axis]};
    for (int i = draw(0, 2); i > 0; --i) cuts.insert(draw(0, extent[axis]));
    run.cuts[axis].assign(cuts.begin(), cuts.end());
  }
  return run;
}

// Runs one core, place by place along the axes, as a detector does: what is whole is flooded, the rest leaves as fragments.
Fragments run_core(const Cut& run, const size_t (&at)[3], Flood& flood, FloodOutput& out) {
  const std::atomic<bool> stop{false};
  const VolumeExtent& volume = run.site.volume;
  const auto span = [&](size_t axis) { return Span{run.cuts[axis][at[axis]], run.cuts[axis][at[axis] + 1]}; };
  ChainConfig config;
  config.core = {span(0), span(1), span(2)};
  for (size_t axis = 0; axis < 3; ++axis) {
    config.inner_low[axis] = at[axis] > 0;
    config.inner_high[axis] = at[axis] + 2 < run.cuts[axis].size();
  }
  const Box& core = config.core;
  VolumeExtent known = volume;
  if (!run.depth_known) known.depth = 0;
  FragmentRules rules{{core.z.start, core.y.start, core.x.start},
                      {core.z.stop, core.y.stop, core.x.stop},
                      run.rules.voxel_bytes(),
                      static_cast<size_t>(draw(0, 400)),
                      static_cast<uint32_t>(run.rules.seed_values),
                      known.depth};
  Components components(config, run.rules);
  Fragments fragments;
  int32_t count = 0;
  const auto send = [&](const Component& component) {
    append_fragments(fragments, component, count, rules);
    count += fragment_count(component, rules);
  };
  const auto settle = [&](std::vector<Component>& closed) {
    for (Component& component : closed) {
      if (component.faces != 0 || !component.continues.empty() || chance(10)) {
        send(component);
        continue;
      }
      const ComponentView view{component.runs.data(), component.runs.size(), component.values.data(), component.seeds.data(),
                               component.seeds.size(), component.seed_values.data()};
      flood.divide(view, run.rules, known, out, stop);
      note("components inside a core");
    }
    closed.clear();
  };

  std::vector<Component> closed;
  for (int32_t z = core.z.start; z < core.z.stop; ++z) {
    const Plane plane = plane_of(run.mask, core, z, run.rules);
    std::vector<const PlaneMask*> bands;
    for (const PlaneMask& band : plane.bands) bands.push_back(&band);
    components.add_plane(z, bands, plane.seeds, plane.seed_values, closed);
    settle(closed);
    if (!chance(20) || z + 1 == core.z.stop) continue;
    std::vector<Component> parts;
    int32_t next = count;
    components.take_open(parts, [&](const Component& part) {
      const int32_t number = next;
      next += fragment_count(part, rules);
      return number;
    });
    for (const Component& part : parts) send(part);
    note("parts that left early", static_cast<int>(parts.size()));
  }
  if (config.inner_high[0]) components.touch_high_z(core.z.stop - 1);
  else known.depth = rules.depth = volume.depth;
  components.take_open(closed, [](const Component&) { return 0; });
  settle(closed);
  return fragments;
}

// Runs all cores and joins their fragments across faces.
Joined run_cores(const Cut& run, Flood& flood, FloodOutput& out) {
  Joined joined;
  std::map<std::array<size_t, 3>, std::pair<Fragments, size_t>> cores;
  for (size_t z = 0; z + 1 < run.cuts[0].size(); ++z)
    for (size_t y = 0; y + 1 < run.cuts[1].size(); ++y)
      for (size_t x = 0; x + 1 < run.cuts[2].size(); ++x) {
        Fragments fragments = run_core(run, {z, y, x}, flood, out);
        const size_t first = take(joined, fragments);
        for (size_t axis = 0; axis < 3; ++axis) {
          std::array<size_t, 3> before{z, y, x};
          if (before[axis]-- == 0) continue;
          const auto& [other, other_first] = cores.at(before);
          const std::vector<int32_t> pairs = touching(other.faces[2 * axis + 1], fragments.faces[2 * axis]);
          for (size_t i = 0; i < pairs.size(); i += 2)
            joined.join(other_first + static_cast<size_t>(pairs[i]), first + static_cast<size_t>(pairs[i + 1]));
          note("joins across faces", static_cast<int>(pairs.size() / 2));
        }
        cores.emplace(std::array{z, y, x}, std::pair{std::move(fragments), first});
      }
  return joined;
}

// Floods what came in fragments, in any order.
void flood_joined(const Cut& run, const Joined& joined, Flood& flood, FloodOutput& out) {
  std::map<size_t, std::vector<size_t>> components;
  GatheredTotals totals;
  for (size_t i = 0; i < joined.fragments.size(); ++i) {
    components[joined.find(i)].push_back(i);
    const FragmentHead& head = joined.heads[i];
    totals = {totals.voxels + head.voxels, totals.runs + head.runs, totals.seeds + head.seeds};
  }
  if (components.empty()) return;
  const size_t limit = chance(10) ? 0 : SIZE_MAX;
  note("gathered in a file", limit == 0);
  Gathered gathered(totals, run.rules, limit, run.folder);
  for (auto& [root, fragments] : components) {
    std::shuffle(fragments.begin(), fragments.end(), generator);
    size_t with_seeds = 0;
    for (const size_t fragment : fragments) {
      gathered.add(joined.fragments[fragment].data());
      with_seeds += joined.heads[fragment].seeds > 0;
    }
    gathered.close();
    note("components with numbers of seeds from several fragments", with_seeds > 1 && run.rules.seed_values > 0);
  }
  const VolumeExtent& volume = run.site.volume;
  const VolumeExtent known{std::max(run.depth_known ? volume.depth : 0, gathered.depth()), volume.height, volume.width};
  const std::atomic<bool> stop{false};
  for (size_t i = 0; i < gathered.size(); ++i) flood.divide(gathered.component(i), run.rules, known, out, stop, limit, run.folder);
}

void check_cores(Flood& flood) {
  const FloodRules rules = draw_rules();
  Site site = draw_site();
  if (site.volume.depth == 0) site.volume.depth = site.start[0] + site.size[0] + draw(0, 2);
  const std::vector<Cells> components = draw_components(rules, site);
  const Mask mask = mask_of(components);
  const Cut run = draw_run(rules, site, mask);
  FloodOutput out, seams;
  const Joined joined = run_cores(run, flood, out);
  flood_joined(run, joined, flood, seams);
  out.voxels.absorb(std::move(seams.voxels), static_cast<int32_t>(out.rows.size() / rules.row_width()));
  out.rows.insert(out.rows.end(), seams.rows.begin(), seams.rows.end());

  PlainFlood expected;
  for (const Cells& cells : components) plain_flood(expected, cells, rules, site.volume);
  const std::vector<size_t> order = order_of(out.rows, rules.row_width());
  const PlainFlood sorted = sorted_by_center(expected, rules);
  for (size_t row = 0; rules.flags && row * rules.row_width() < sorted.rows.size(); ++row) {
    const bool on_edge = static_cast<int>(sorted.rows[row * rules.row_width() + rules.flags_at()]) & 1;
    note(run.depth_known ? "cells on an edge" : "cells on an edge, depth unknown", on_edge);
  }
  note("cells", static_cast<int>(order.size()));
  const bool right = same_bits(picked(out.rows, order, rules.row_width()), sorted.rows) &&
                     (!rules.voxels || same_voxels(out.voxels.sorted(rules, order), sorted, rules));
  if (right) return;
  ++wrong;
  std::printf("WRONG: cells of %zu x %zu x %zu cores\n", run.cuts[0].size() - 1, run.cuts[1].size() - 1, run.cuts[2].size() - 1);
}

}  // namespace

int main() {
  Flood flood;
  for (int i = 0; i < 3000; ++i) check_cores(flood);
  std::printf("components:");
  for (const auto& [what, times] : reached) {
    std::printf(" %d %s;", times, what.c_str());
    wrong += times == 0;
  }
  std::printf(" %d wrong\n", wrong);
  return wrong ? 1 : 0;
}
