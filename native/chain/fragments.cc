#include "chain/fragments.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace somaflow {

namespace {

template <typename T>
void append_bytes(std::vector<uint8_t>& to, const T* from, size_t count) {
  const uint8_t* bytes = reinterpret_cast<const uint8_t*>(from);
  to.insert(to.end(), bytes, bytes + count * sizeof(T));
}

// On faces across z and y a run lies whole: u is the other of y and z, v is x. On faces across x only one voxel of it
// does: u is z, v is y. Both cores of a face list it in the same terms, so that lists can be compared.
void add_to_faces(Fragments& out, uint8_t faces, const Run& run, int32_t number, const FragmentRules& rules) {
  const int32_t *low = rules.core_low, *high = rules.core_high;
  const auto add = [&](int face, int32_t u, int32_t v, int32_t length) {
    out.faces[face].insert(out.faces[face].end(), {u, v, length, number});
  };
  if ((faces & kLowZ) && run.z == low[0]) add(0, run.y, run.x, run.length);
  if ((faces & kHighZ) && run.z == high[0] - 1) add(1, run.y, run.x, run.length);
  if ((faces & kLowY) && run.y == low[1]) add(2, run.z, run.x, run.length);
  if ((faces & kHighY) && run.y == high[1] - 1) add(3, run.z, run.x, run.length);
  if ((faces & kLowX) && run.x == low[2]) add(4, run.z, run.y, 1);
  if ((faces & kHighX) && run.x + run.length == high[2]) add(5, run.z, run.y, 1);
}

size_t run_bytes(int32_t length, const FragmentRules& rules) {
  return sizeof(Run) + static_cast<size_t>(length) * rules.voxel_bytes;
}

// Calls part(first, last) for consecutive ranges of runs that each keep within the limit, as far as single runs do.
template <typename Part>
void for_parts(const Component& component, const FragmentRules& rules, const Part& part) {
  size_t first = 0, bytes = 0;
  for (size_t i = 0; i < component.runs.size(); ++i) {
    const size_t more = run_bytes(component.runs[i].length, rules);
    if (i > first && bytes + more > rules.limit) {
      part(first, i);
      first = i;
      bytes = 0;
    }
    bytes += more;
  }
  part(first, component.runs.size());
}

void append_index(Fragments& out, size_t offset, const FragmentHead& head, uint8_t faces, const Run* runs) {
  constexpr int32_t most = std::numeric_limits<int32_t>::max();
  int32_t low[3] = {most, most, most}, high[3] = {0, 0, 0};
  for (size_t i = 0; i < head.runs; ++i) {
    const Run& run = runs[i];
    const int32_t from[3] = {run.z, run.y, run.x}, to[3] = {run.z + 1, run.y + 1, run.x + run.length};
    for (int axis = 0; axis < 3; ++axis) {
      low[axis] = std::min(low[axis], from[axis]);
      high[axis] = std::max(high[axis], to[axis]);
    }
  }
  const double fields[kFragmentFields] = {
      static_cast<double>(offset),     static_cast<double>(out.bytes.size() - offset),
      static_cast<double>(head.voxels), static_cast<double>(head.runs),
      static_cast<double>(head.seeds), static_cast<double>(faces),
      static_cast<double>(low[0]),     static_cast<double>(high[0]),
      static_cast<double>(low[1]),     static_cast<double>(high[1]),
      static_cast<double>(low[2]),     static_cast<double>(high[2])};
  out.index.insert(out.index.end(), fields, fields + kFragmentFields);
}

}  // namespace

int32_t fragment_count(const Component& component, const FragmentRules& rules) {
  int32_t count = 0;
  for_parts(component, rules, [&](size_t, size_t) { ++count; });
  return count;
}

void append_fragments(Fragments& out, const Component& component, int32_t number, const FragmentRules& rules) {
  for (const int32_t earlier : component.continues) out.links.insert(out.links.end(), {earlier, number});
  const uint8_t* values = component.values.data();
  for_parts(component, rules, [&](size_t first, size_t last) {
    const bool has_seeds = first == 0;  // seeds may be in any part, so the first takes them all
    const uint32_t seeds = has_seeds ? static_cast<uint32_t>(component.seeds.size()) : 0;
    FragmentHead head{static_cast<uint32_t>(last - first), seeds, 0, rules.seed_values, rules.depth};
    for (size_t i = first; i < last; ++i) {
      head.voxels += static_cast<uint64_t>(component.runs[i].length);
      if (component.faces != 0) add_to_faces(out, component.faces, component.runs[i], number, rules);
    }
    const size_t offset = out.bytes.size();
    append_bytes(out.bytes, &head, 1);
    append_bytes(out.bytes, component.runs.data() + first, head.runs);
    append_bytes(out.bytes, component.seeds.data(), head.seeds);
    append_bytes(out.bytes, component.seed_values.data(), size_t{head.seeds} * head.seed_values);
    append_bytes(out.bytes, values, head.voxels * rules.voxel_bytes);
    values += head.voxels * rules.voxel_bytes;
    out.bytes.resize((out.bytes.size() + 7) / 8 * 8);
    append_index(out, offset, head, component.faces, component.runs.data() + first);
    if (first > 0) out.links.insert(out.links.end(), {number - 1, number});
    ++number;
  });
}

FragmentView view_fragment(const uint8_t* bytes) {
  FragmentView view;
  std::memcpy(&view.head, bytes, sizeof(FragmentHead));
  view.runs = reinterpret_cast<const Run*>(bytes + sizeof(FragmentHead));
  view.seeds = reinterpret_cast<const Seed*>(view.runs + view.head.runs);
  view.seed_values = reinterpret_cast<const double*>(view.seeds + view.head.seeds);
  view.values = reinterpret_cast<const uint8_t*>(view.seed_values + size_t{view.head.seeds} * view.head.seed_values);
  return view;
}

std::vector<int32_t> touching(std::vector<int32_t> a, std::vector<int32_t> b) {
  struct Span {
    int32_t u, v, length, fragment;
  };
  const auto sorted = [](std::vector<int32_t>& list) {
    Span* const spans = reinterpret_cast<Span*>(list.data());
    const size_t count = list.size() / 4;
    std::sort(spans, spans + count, [](const Span& p, const Span& q) { return p.u != q.u ? p.u < q.u : p.v < q.v; });
    return std::pair{spans, count};
  };
  const auto [as, a_count] = sorted(a);
  const auto [bs, b_count] = sorted(b);
  std::vector<std::pair<int32_t, int32_t>> pairs;
  for (size_t i = 0, other = 0; i < a_count; ++i) {
    const Span& span = as[i];
    while (other < b_count && (bs[other].u < span.u || (bs[other].u == span.u && bs[other].v + bs[other].length <= span.v))) ++other;
    for (size_t at = other; at < b_count && bs[at].u == span.u && bs[at].v < span.v + span.length; ++at)
      pairs.emplace_back(span.fragment, bs[at].fragment);
  }
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  std::vector<int32_t> flat;
  flat.reserve(2 * pairs.size());
  for (const auto& [one, two] : pairs) flat.insert(flat.end(), {one, two});
  return flat;
}

}  // namespace somaflow
