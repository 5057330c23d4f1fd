// Floods of components that were put together from fragments: `new Flood(options)`, `add(bytes)`, `close()`, `run()`,
// `takeVoxels(from, count)`, `free()`.
#include "bindings/flood_binding.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bindings/jobs.h"
#include "bindings/rules.h"
#include "bindings/values.h"
#include "chain/flood.h"
#include "chain/fragments.h"
#include "chain/gathered.h"

namespace somaflow {

namespace {

GatheredTotals totals_of(const Napi::Object& options) {
  const auto count = [&](const char* key) { return static_cast<size_t>(number(options, key)); };
  return {count("voxels"), count("runs"), count("seeds")};
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
    const GatheredTotals totals = totals_of(options);
    rules_ = rules_of(options.Get("rules").As<Napi::Object>());
    volume_ = extent_of(options.Get("volume"));
    folder_ = options.Get("folder").ToString().Utf8Value();
    const bool in_file = flag(options, "inFile");
    limit_ = in_file ? 0 : SIZE_MAX;
    const size_t kept = in_file ? 0 : CellVoxels::usual_bytes(totals.voxels, totals.runs, rules_);
    out_ = FloodOutput{{}, CellVoxels(kept, kept, folder_)};
    out_.rows.reserve(totals.seeds * rules_.row_width());
    flood_ = std::make_unique<Flood>();
    try {
      all_ = std::make_unique<Gathered>(totals, rules_, limit_, folder_);
    } catch (const std::exception& error) {
      throw Napi::Error::New(info.Env(), error.what());
    }
  }

 private:
  // add(bytes): a fragment of the component under way.
  void add(const Napi::CallbackInfo& info) {
    try {
      all_->add(info[0].As<Napi::Uint8Array>().Data());
    } catch (const std::length_error& error) {
      throw Napi::RangeError::New(info.Env(), error.what());
    }
  }

  // close(): the component has all its parts.
  void close(const Napi::CallbackInfo&) { all_->close(); }

  // run(): Promise of { rows, counts, cellRuns }: the cells of all components, how many each has, and the runs of their voxels.
  Napi::Value run(const Napi::CallbackInfo& info) {
    Ref();
    auto counts = std::make_shared<std::vector<int32_t>>();
    return start_job(
        info.Env(), [this, counts] { divide(*counts); },
        [this, counts](Napi::Env env) -> Napi::Value {
          // Now, and not when the object is collected: the budget has these bytes back from here on.
          all_.reset();
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
    const auto count = [&](size_t i) { return static_cast<size_t>(info[i].ToNumber().Int64Value()); };
    const GivenVoxels given = out_.voxels.copy(rules_, count(0), count(1));
    Napi::Object result = Napi::Object::New(info.Env());
    result.Set("runs", copy_to_array(info.Env(), given.runs));
    result.Set("values", copy_each_to_array(info.Env(), given.values));
    return result;
  }

  // free(): gives back the memory or file in which the voxels lie.
  void free(const Napi::CallbackInfo&) { out_ = FloodOutput(); }

  void stop(const Napi::CallbackInfo&) { stop_.store(true); }

  void divide(std::vector<int32_t>& counts) {
    volume_.depth = std::max(volume_.depth, all_->depth());
    for (size_t i = 0; i < all_->size() && !stop_.load(std::memory_order_relaxed); ++i) {
      const size_t before = out_.rows.size();
      flood_->divide(all_->component(i), rules_, volume_, out_, stop_, limit_, folder_);
      counts.push_back(static_cast<int32_t>((out_.rows.size() - before) / rules_.row_width()));
    }
  }

  FloodRules rules_;
  VolumeExtent volume_;
  size_t limit_ = 0;  // of what lies in memory
  std::string folder_;
  std::unique_ptr<Gathered> all_;
  std::unique_ptr<Flood> flood_;
  FloodOutput out_;
  std::atomic<bool> stop_{false};
};

// floodBytes(totals, rules): bytes of memory that a Flood of these takes, without the rows that it leaves. Voxels of cells beyond
// what these usually take go to a file.
Napi::Value flood_bytes(const Napi::CallbackInfo& info) {
  const Napi::Object totals = info[0].As<Napi::Object>();
  const GatheredTotals all = totals_of(totals);
  const FloodRules rules = rules_of(info[1].As<Napi::Object>());
  const auto most = [&](const char* key) { return static_cast<size_t>(number(totals, key)); };
  const size_t bytes = Gathered::bytes(all, rules) + CellVoxels::usual_bytes(all.voxels, all.runs, rules) +
                       Flood::scratch_bytes(most("mostVoxels"), most("mostRuns"), most("mostSeeds"), rules);
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
