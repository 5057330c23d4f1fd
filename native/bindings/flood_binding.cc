// Floods of components that were put together from fragments: `new Flood(options)`, `add(bytes)`, `close()`, `run()`,
// `takeVoxels(from, count)`, `free()`.
#include "bindings/flood_binding.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/jobs.h"
#include "bindings/rules.h"
#include "bindings/values.h"
#include "chain/flood.h"
#include "chain/fragments.h"

namespace somaflow {

namespace {

// Bytes that the parts of these components take before and while they are flooded. The totals are of all components of a
// batch, the most of the largest one.
struct Totals {
  size_t voxels, runs, seeds, most_voxels, most_runs, most_seeds;
};

// The parts of a batch's components, gathered: each kind one array.
struct Gathered {
  Gathered(Cutter cutter, const Totals& totals, const FloodRules& rules)
      : runs(cutter.cut<Run>(totals.runs)),
        seeds(cutter.cut<Seed>(totals.seeds)),
        seed_values(cutter.cut<double>(totals.seeds * static_cast<size_t>(rules.seed_values))),
        values(cutter.cut<uint8_t>(totals.voxels * rules.voxel_bytes())),
        bytes(cutter.taken()) {}

  Run* runs;
  Seed* seeds;
  double* seed_values;
  uint8_t* values;
  size_t bytes;
};

Totals totals_of(const Napi::Object& options) {
  const auto count = [&](const char* key) { return static_cast<size_t>(number(options, key)); };
  return {count("voxels"), count("runs"), count("seeds"), count("mostVoxels"), count("mostRuns"), count("mostSeeds")};
}

VolumeExtent extent_of(const Napi::Value& value) {
  const Napi::Array extent = value.As<Napi::Array>();
  const auto at = [&](uint32_t axis) { return extent.Get(axis).ToNumber().Int32Value(); };
  return {at(0), at(1), at(2)};
}

class FloodObject : public Napi::ObjectWrap<FloodObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Flood",
                       {InstanceMethod("add", &FloodObject::add), InstanceMethod("close", &FloodObject::close),
                        InstanceMethod("run", &FloodObject::run), InstanceMethod("takeVoxels", &FloodObject::take_voxels),
                        InstanceMethod("free", &FloodObject::free), InstanceMethod("stop", &FloodObject::stop)});
  }

  explicit FloodObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<FloodObject>(info) {
    const Napi::Object options = info[0].As<Napi::Object>();
    totals_ = totals_of(options);
    rules_ = rules_of(options.Get("rules").As<Napi::Object>());
    volume_ = extent_of(options.Get("volume"));
    in_file_ = flag(options, "inFile");
    folder_ = options.Get("folder").ToString().Utf8Value();
    memory_ = std::make_unique<Scratch>();
    flood_ = std::make_unique<Flood>();
    const size_t kept = in_file_ ? 0 : CellVoxels::usual_bytes(totals_.voxels, totals_.runs, rules_);
    out_ = FloodOutput{{}, CellVoxels(kept, kept, folder_)};
    try {
      const size_t bytes = Gathered(Cutter(), totals_, rules_).bytes;
      all_ = Gathered(Cutter(memory_->take(bytes, in_file_ ? 0 : SIZE_MAX, folder_)), totals_, rules_);
    } catch (const std::exception& error) {
      throw Napi::Error::New(info.Env(), error.what());
    }
  }

 private:
  struct Part {
    size_t runs, seeds, values;  // where it begins
  };

  // add(bytes): a fragment of the component under way.
  void add(const Napi::CallbackInfo& info) {
    Napi::Uint8Array bytes = info[0].As<Napi::Uint8Array>();
    const FragmentView fragment = view_fragment(bytes.Data());
    const size_t value_bytes = static_cast<size_t>(fragment.head.voxels) * rules_.voxel_bytes();
    const size_t numbers = static_cast<size_t>(rules_.seed_values);
    if (fragment.head.seed_values != numbers || end_.runs + fragment.head.runs > totals_.runs || end_.seeds + fragment.head.seeds > totals_.seeds ||
        end_.values + value_bytes > totals_.voxels * rules_.voxel_bytes())
      throw Napi::RangeError::New(info.Env(), "a fragment is another, or larger, than was said");
    // A record read back from a file lies at any address; memcpy does not mind.
    std::memcpy(all_.runs + end_.runs, fragment.runs, fragment.head.runs * sizeof(Run));
    std::memcpy(all_.seeds + end_.seeds, fragment.seeds, fragment.head.seeds * sizeof(Seed));
    std::memcpy(all_.seed_values + end_.seeds * numbers, fragment.seed_values, fragment.head.seeds * numbers * sizeof(double));
    // The numbers of its seeds now lie behind those of the component's earlier ones.
    const size_t before = ends_.empty() ? 0 : ends_.back().seeds;
    for (size_t i = 0; i < fragment.head.seeds; ++i) all_.seeds[end_.seeds + i].place += static_cast<uint32_t>(end_.seeds - before);
    std::memcpy(all_.values + end_.values, fragment.values, value_bytes);
    end_.runs += fragment.head.runs;
    end_.seeds += fragment.head.seeds;
    end_.values += value_bytes;
    volume_.depth = std::max(volume_.depth, fragment.head.depth);
  }

  // close(): the component has all its parts.
  void close(const Napi::CallbackInfo&) { ends_.push_back(end_); }

  // run(): Promise of { rows, counts, cellRuns }: the cells of all components, how many each has, and the runs of their voxels.
  Napi::Value run(const Napi::CallbackInfo& info) {
    Ref();
    auto counts = std::make_shared<std::vector<int32_t>>();
    return start_job(
        info.Env(), 1, [this, counts] { divide(*counts); },
        [this, counts](Napi::Env env) -> Napi::Value {
          // Now, and not when the object is collected: the budget has these bytes back from here on.
          memory_.reset();
          flood_.reset();
          const bool stopped = stop_.load();
          Unref();
          const std::vector<double> rows = std::exchange(out_.rows, {});
          if (stopped) {
            out_ = FloodOutput();
            throw Napi::Error::New(env, "stopped");
          }
          Napi::Object result = Napi::Object::New(env);
          result.Set("rows", copy_to_array(env, rows));
          result.Set("counts", copy_to_array(env, *counts));
          result.Set("cellRuns", static_cast<double>(out_.voxels.run_count()));
          return result;
        });
  }

  // takeVoxels(from, count): { runs, values } of some of the runs of what run() gave, copied.
  Napi::Value take_voxels(const Napi::CallbackInfo& info) {
    const GivenVoxels given =
        out_.voxels.copy(rules_, static_cast<size_t>(info[0].ToNumber().Int64Value()), static_cast<size_t>(info[1].ToNumber().Int64Value()));
    Napi::Object result = Napi::Object::New(info.Env());
    result.Set("runs", copy_to_array(info.Env(), given.runs));
    result.Set("values", copy_each_to_array(info.Env(), given.values));
    return result;
  }

  // free(): gives back the memory or file in which the voxels lie.
  void free(const Napi::CallbackInfo&) { out_ = FloodOutput(); }

  void stop(const Napi::CallbackInfo&) { stop_.store(true); }

  void divide(std::vector<int32_t>& counts) {
    std::vector<double>& rows = out_.rows;
    rows.reserve(totals_.seeds * rules_.row_width());
    Part begin{0, 0, 0};
    for (const Part& end : ends_) {
      const size_t before = rows.size();
      const ComponentView component{all_.runs + begin.runs, end.runs - begin.runs, all_.values + begin.values,
                                    all_.seeds + begin.seeds, end.seeds - begin.seeds,
                                    all_.seed_values + begin.seeds * static_cast<size_t>(rules_.seed_values)};
      flood_->divide(component, rules_, volume_, out_, stop_, in_file_ ? 0 : SIZE_MAX, folder_);
      counts.push_back(static_cast<int32_t>((rows.size() - before) / rules_.row_width()));
      begin = end;
      if (stop_.load(std::memory_order_relaxed)) return;
    }
  }

  Totals totals_{};
  FloodRules rules_;
  VolumeExtent volume_;
  FloodOutput out_;
  bool in_file_ = false;
  std::string folder_;
  std::unique_ptr<Scratch> memory_;
  std::unique_ptr<Flood> flood_;
  Gathered all_{Cutter(), {}, {}};
  Part end_{0, 0, 0};
  std::vector<Part> ends_;
  std::atomic<bool> stop_{false};
};

// floodBytes(totals, rules): bytes of memory that a Flood of these takes, without the rows that it leaves. Voxels of cells beyond
// what these usually take go to a file.
Napi::Value flood_bytes(const Napi::CallbackInfo& info) {
  const Totals t = totals_of(info[0].As<Napi::Object>());
  const FloodRules rules = rules_of(info[1].As<Napi::Object>());
  const size_t bytes = Gathered(Cutter(), t, rules).bytes + CellVoxels::usual_bytes(t.voxels, t.runs, rules) +
                       Flood::scratch_bytes(t.most_voxels, t.most_runs, t.most_seeds, rules);
  return Napi::Number::New(info.Env(), static_cast<double>(bytes));
}

// touching(a, b): pairs of fragments whose runs on a common face touch.
Napi::Value touching_lists(const Napi::CallbackInfo& info) {
  const auto list = [](const Napi::Value& value) {
    Napi::Int32Array array = value.As<Napi::Int32Array>();
    return std::vector<int32_t>(array.Data(), array.Data() + array.ElementLength());
  };
  return copy_to_array(info.Env(), touching(list(info[0]), list(info[1])));
}

}  // namespace

void export_flood(Napi::Env env, Napi::Object exports) {
  exports.Set("Flood", FloodObject::define(env));
  exports.Set("floodBytes", Napi::Function::New(env, flood_bytes));
  exports.Set("touching", Napi::Function::New(env, touching_lists));
}

}  // namespace somaflow
