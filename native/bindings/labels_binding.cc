// Labels of cells: `new Labels({ cells, inFile, folder })`, `add(places)`, `rank()`, `relabel(rows, width, place)`,
// `paint(runs, box, into, fresh)`, `stop()`, `free()`; and `sortRuns(runs, first, parts)`.
#include "bindings/labels_binding.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "bindings/jobs.h"
#include "bindings/values.h"
#include "chain/labels.h"

namespace somaflow {

namespace {

// Keeps an array from being collected while a job works on it, and where its bytes lie.
struct Lent {
  explicit Lent(const Napi::Value& value) : array(Napi::Persistent(value.As<Napi::Object>())) {
    const Napi::TypedArray typed = value.As<Napi::TypedArray>();
    bytes = typed.ByteLength();
    data = typed.As<Napi::Uint8Array>().Data();
  }
  Napi::ObjectReference array;
  uint8_t* data;
  size_t bytes;
};

class LabelsObject : public Napi::ObjectWrap<LabelsObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Labels",
                       {InstanceMethod("add", &LabelsObject::add), InstanceMethod("rank", &LabelsObject::rank),
                        InstanceMethod("relabel", &LabelsObject::relabel), InstanceMethod("paint", &LabelsObject::paint),
                        InstanceMethod("stop", &LabelsObject::stop), InstanceMethod("free", &LabelsObject::free)});
  }

  explicit LabelsObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<LabelsObject>(info) {
    const Napi::Object options = info[0].As<Napi::Object>();
    const size_t cells = static_cast<size_t>(number(options, "cells"));
    translated(info.Env(), [&] {
      labels_ = std::make_unique<Labels>(cells, flag(options, "inFile") ? 0 : SIZE_MAX,
                                         options.Get("folder").ToString().Utf8Value());
    });
  }

 private:
  template <typename Work>
  static void translated(Napi::Env env, const Work& work) {
    try {
      work();
    } catch (const std::exception& error) {
      throw Napi::Error::New(env, error.what());
    }
  }

  // add(places): the centers' places of the next cells, float64 numbers as bytes.
  void add(const Napi::CallbackInfo& info) {
    const Lent places(info[0]);
    translated(info.Env(), [&] { labels_->add(reinterpret_cast<const double*>(places.data), places.bytes / sizeof(double)); });
  }

  // rank(): Promise that resolves once every cell has its label; rejects with 'stopped' after stop().
  Napi::Value rank(const Napi::CallbackInfo& info) {
    Ref();
    return start_job(
        info.Env(), [this] { labels_->rank(stop_); },
        [this](Napi::Env env) -> Napi::Value {
          const bool stopped = stop_.load();
          Unref();
          if (stopped) throw Napi::Error::New(env, "stopped");
          return env.Undefined();
        });
  }

  // relabel(rows, width, place): Promise that resolves once each row has its cell's label in the place of the cell's number. A job,
  // since labels in a file may have to be read.
  Napi::Value relabel(const Napi::CallbackInfo& info) {
    const auto rows = std::make_shared<Lent>(info[0]);
    const size_t width = static_cast<size_t>(info[1].ToNumber().Int64Value());
    const size_t place = static_cast<size_t>(info[2].ToNumber().Int64Value());
    Ref();
    return start_job(
        info.Env(),
        [this, rows, width, place] {
          double* const numbers = reinterpret_cast<double*>(rows->data);
          for (size_t at = place; at < rows->bytes / sizeof(double); at += width) numbers[at] = labels_->of(numbers[at]);
        },
        [this, rows](Napi::Env env) -> Napi::Value {
          rows->array.Reset();
          Unref();
          return env.Undefined();
        });
  }

  // paint(runs, box, into, fresh): Promise that resolves once the runs' labels are in the box; with `fresh` all else in it is 0.
  Napi::Value paint(const Napi::CallbackInfo& info) {
    const auto runs = std::make_shared<Lent>(info[0]);
    const auto into = std::make_shared<Lent>(info[2]);
    const Napi::Object given = info[1].As<Napi::Object>();
    int32_t ends[6];
    const char* const axes[] = {"z", "y", "x"};
    for (uint32_t i = 0; i < 6; ++i)
      ends[i] = given.Get(axes[i / 2]).As<Napi::Array>().Get(i % 2).ToNumber().Int32Value();
    const PaintBox box{ends[0], ends[1], ends[2], ends[3], ends[4], ends[5]};
    const size_t voxels = static_cast<size_t>(box.z1 - box.z0) * static_cast<size_t>(box.y1 - box.y0) *
                          static_cast<size_t>(box.x1 - box.x0);
    if (into->bytes < voxels * sizeof(uint32_t)) throw Napi::RangeError::New(info.Env(), "the box is larger than its memory");
    const bool fresh = info[3].ToBoolean();
    Ref();
    return start_job(
        info.Env(),
        [this, runs, into, box, voxels, fresh] {
          uint32_t* const image = reinterpret_cast<uint32_t*>(into->data);
          if (fresh) std::fill_n(image, voxels, 0u);
          labels_->paint(reinterpret_cast<const CellRun*>(runs->data), runs->bytes / sizeof(CellRun), box, image);
        },
        [this, runs, into](Napi::Env env) -> Napi::Value {
          runs->array.Reset();
          into->array.Reset();
          Unref();
          return env.Undefined();
        });
  }

  void stop(const Napi::CallbackInfo&) { stop_.store(true); }

  // Gives the memory back now, and not when the object is collected. Not while a job is under way.
  void free(const Napi::CallbackInfo&) { labels_.reset(); }

  std::unique_ptr<Labels> labels_;
  std::atomic<bool> stop_{false};
};

// labelBytes(cells): { labels, ranking }, the bytes that Labels of that many cells keep, and that they take until they are ranked.
Napi::Value label_bytes(const Napi::CallbackInfo& info) {
  const size_t cells = static_cast<size_t>(info[0].ToNumber().Int64Value());
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("labels", static_cast<double>(Labels::label_bytes(cells)));
  result.Set("ranking", static_cast<double>(Labels::rank_bytes(cells)));
  return result;
}

// sortRuns(runs, first, parts): Promise of the runs in the order of the parts that they lie in, and pairs of a part and its count.
Napi::Value sort_runs_of(const Napi::CallbackInfo& info) {
  const auto runs = std::make_shared<Lent>(info[0]);
  const int32_t first = info[1].ToNumber().Int32Value();
  const Napi::Object given = info[2].As<Napi::Object>();
  const Parts parts{integer(given, "z"), integer(given, "y"), integer(given, "planes"), integer(given, "rows"),
                    integer(given, "perPlane")};
  const auto sorted = std::make_shared<SortedRuns>();
  return start_job(
      info.Env(),
      [runs, first, parts, sorted] {
        *sorted = sort_runs(reinterpret_cast<const CellRun*>(runs->data), runs->bytes / sizeof(CellRun), first, parts);
      },
      [runs, sorted](Napi::Env env) -> Napi::Value {
        runs->array.Reset();
        Napi::Object result = Napi::Object::New(env);
        const size_t bytes = sorted->runs.size() * sizeof(CellRun);
        Napi::Uint8Array copy = Napi::Uint8Array::New(env, bytes);
        if (bytes > 0) std::memcpy(copy.Data(), sorted->runs.data(), bytes);
        result.Set("runs", copy);
        result.Set("counts", copy_to_array(env, sorted->counts));
        return result;
      });
}

}  // namespace

void export_labels(Napi::Env env, Napi::Object exports) {
  exports.Set("Labels", LabelsObject::define(env));
  exports.Set("labelBytes", Napi::Function::New(env, label_bytes));
  exports.Set("sortRuns", Napi::Function::New(env, sort_runs_of));
}

}  // namespace somaflow
