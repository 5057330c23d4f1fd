// Made-up volumes: `new Synthetic(scene)`, `fill(ticket, region, into)`, `stop(ticket)`.
#include "bindings/synthetic_binding.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <unordered_map>
#include <vector>

#include "bindings/jobs.h"
#include "bindings/values.h"
#include "runtime/synthetic.h"

namespace somaflow {

namespace {

std::vector<double> numbers(const Napi::Object& object, const char* key) {
  Napi::Float64Array array = object.Get(key).As<Napi::Float64Array>();
  return std::vector<double>(array.Data(), array.Data() + array.ElementLength());
}

std::shared_ptr<const SyntheticScene> scene_of(const Napi::Object& given) {
  auto scene = std::make_shared<SyntheticScene>();
  scene->seed = given.Get("seed").ToNumber().Uint32Value();
  scene->noise = number(given, "noise");
  scene->scale = number(given, "scale");
  scene->rows = numbers(given, "rows");
  scene->columns = numbers(given, "columns");
  scene->profile_z = numbers(given, "profileZ");
  scene->profile_yx = numbers(given, "profileYx");
  const std::vector<double> cells = numbers(given, "cells");
  scene->cells.reserve(cells.size() / 4);
  for (size_t at = 0; at + 4 <= cells.size(); at += 4) {
    const auto place = [&](size_t i) { return static_cast<int32_t>(cells[at + i]); };
    scene->cells.push_back({place(0), place(1), place(2), cells[at + 3]});
  }
  return scene;
}

// One fill under way. It keeps the memory until it has settled.
struct Fill {
  SyntheticRegion region;
  napi_typedarray_type type;
  void* data = nullptr;
  std::atomic<bool> stop{false};
  Napi::ObjectReference into;
};

class SyntheticObject : public Napi::ObjectWrap<SyntheticObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Synthetic",
                       {InstanceMethod("fill", &SyntheticObject::fill), InstanceMethod("stop", &SyntheticObject::stop)});
  }

  explicit SyntheticObject(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<SyntheticObject>(info), scene_(scene_of(info[0].As<Napi::Object>())) {}

 private:
  // fill(ticket, region: z, z, y, y, x, x, into): a promise that resolves when the voxels are there, or the fill was stopped.
  Napi::Value fill(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    auto fill = std::make_shared<Fill>();
    const auto bounds = info[1].As<Napi::Int32Array>();
    if (bounds.ElementLength() != 6) throw Napi::TypeError::New(env, "fill: region must have six bounds");
    for (size_t i = 0; i < 2; ++i) {
      fill->region.z[i] = bounds[i];
      fill->region.y[i] = bounds[2 + i];
      fill->region.x[i] = bounds[4 + i];
    }
    size_t length = 0;
    // The raw call, because the wrapper asks for the buffer as an ArrayBuffer, which a shared one is not.
    if (napi_get_typedarray_info(env, info[2], &fill->type, &length, &fill->data, nullptr, nullptr) != napi_ok)
      throw Napi::TypeError::New(env, "fill: into must be a typed array");
    if (!fits(fill->region, length)) throw Napi::RangeError::New(env, "fill: the region does not fit");
    fill->into = Napi::Persistent(info[2].As<Napi::Object>());
    // When the environment ends amid a fill there is nothing left that the reference could be given back to.
    fill->into.SuppressDestruct();
    const uint32_t ticket = info[0].As<Napi::Number>().Uint32Value();
    fills_[ticket] = fill;
    Ref();
    return start_job(
        env, [scene = scene_, fill] { run(*scene, *fill); },
        [this, fill, ticket](Napi::Env env) -> Napi::Value {
          fill->into.Reset();
          fills_.erase(ticket);
          Unref();
          return env.Undefined();
        });
  }

  // stop(ticket): the fill ends before its next row; harmless once it has settled.
  void stop(const Napi::CallbackInfo& info) {
    const auto found = fills_.find(info[0].As<Napi::Number>().Uint32Value());
    if (found != fills_.end()) found->second->stop.store(true, std::memory_order_relaxed);
  }

  bool fits(const SyntheticRegion& r, size_t length) const {
    const auto within = [](const int32_t (&span)[2], size_t end) {
      return span[0] >= 0 && span[0] <= span[1] && static_cast<size_t>(span[1]) <= end;
    };
    if (!within(r.z, SIZE_MAX) || !within(r.y, scene_->rows.size()) || !within(r.x, scene_->columns.size())) return false;
    using Wide = unsigned __int128;
    return Wide(r.z[1] - r.z[0]) * Wide(r.y[1] - r.y[0]) * Wide(r.x[1] - r.x[0]) == length;
  }

  static void run(const SyntheticScene& scene, Fill& fill) {
    switch (fill.type) {
      case napi_uint8_array:
        return fill_synthetic(scene, fill.region, static_cast<uint8_t*>(fill.data), fill.stop);
      case napi_uint16_array:
        return fill_synthetic(scene, fill.region, static_cast<uint16_t*>(fill.data), fill.stop);
      case napi_float32_array:
        return fill_synthetic(scene, fill.region, static_cast<float*>(fill.data), fill.stop);
      default:
        throw std::invalid_argument("fill: into must be a Uint8Array, Uint16Array or Float32Array");
    }
  }

  std::shared_ptr<const SyntheticScene> scene_;
  std::unordered_map<uint32_t, std::shared_ptr<Fill>> fills_;
};

}  // namespace

void export_synthetic(Napi::Env env, Napi::Object exports) { exports.Set("Synthetic", SyntheticObject::define(env)); }

}  // namespace somaflow
