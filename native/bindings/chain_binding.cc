// The chain as a JavaScript object: `new Chain(config, memory)`, `push(...)`, `resume(...)`, `stop()`, `close()`.
#include "bindings/chain_binding.h"

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "bindings/chain_config.h"
#include "bindings/jobs.h"
#include "bindings/values.h"
#include "chain/chain.h"

namespace somaflow {

namespace {

Napi::Object detector_to_js(Napi::Env env, const DetectorOutput& out) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("rows", copy_to_array(env, out.rows));
  result.Set("cellRuns", copy_to_array(env, out.voxels.runs));
  result.Set("cellValues", copy_each_to_array(env, out.voxels.values));
  result.Set("fragments", copy_to_array(env, out.fragments.bytes));
  result.Set("index", copy_to_array(env, out.fragments.index));
  result.Set("links", copy_to_array(env, out.fragments.links));
  Napi::Array faces = Napi::Array::New(env, kFaces);
  for (uint32_t face = 0; face < kFaces; ++face) faces.Set(face, copy_to_array(env, out.fragments.faces[face]));
  result.Set("faces", faces);
  return result;
}

Napi::Value output_to_js(Napi::Env env, const ChainOutput& out) {
  Napi::Object result = Napi::Object::New(env);
  Napi::Array detectors = Napi::Array::New(env, out.detectors.size()), saved = Napi::Array::New(env, out.saved.size());
  for (uint32_t i = 0; i < out.detectors.size(); ++i) detectors.Set(i, detector_to_js(env, out.detectors[i]));
  for (uint32_t i = 0; i < out.saved.size(); ++i) {
    Napi::Array span = Napi::Array::New(env, 2);
    span.Set(0u, out.saved[i].start);
    span.Set(1u, out.saved[i].stop);
    saved.Set(i, span);
  }
  result.Set("detectors", detectors);
  result.Set("saved", saved);
  return result;
}

// What a push waits for, under its name.
void set_awaited(Napi::Env env, Napi::Object result, const Awaited& awaited) {
  const auto set_numbers = [&](Napi::Object to, std::initializer_list<std::pair<const char*, double>> numbers) {
    for (const auto& [key, value] : numbers) to.Set(key, value);
    return to;
  };
  if (const PlanesWanted* const planes = std::get_if<PlanesWanted>(&awaited)) {
    const auto& [image, from, to, end] = *planes;
    result.Set("wanted", set_numbers(Napi::Object::New(env), {{"image", image}, {"from", from}, {"to", to}, {"end", end}}));
  } else if (const WindowsOf* const windows = std::get_if<WindowsOf>(&awaited)) {
    const auto& [kind, count, centers, end] = windows->windows;
    Napi::Object wanted = set_numbers(Napi::Object::New(env), {{"detector", static_cast<double>(windows->detector)},
                                                               {"kind", static_cast<double>(kind)},
                                                               {"end", end}});
    std::vector<int32_t> positions;
    for (const Seed* seed = centers; seed != centers + count; ++seed) positions.insert(positions.end(), {seed->z, seed->y, seed->x});
    wanted.Set("centers", copy_to_array(env, positions));
    result.Set("windows", wanted);
  }
}

class ChainObject : public Napi::ObjectWrap<ChainObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Chain",
                       {InstanceMethod("push", &ChainObject::push), InstanceMethod("resume", &ChainObject::resume),
                        InstanceMethod("stop", &ChainObject::stop), InstanceMethod("close", &ChainObject::close)});
  }

  explicit ChainObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ChainObject>(info) {
    const ChainConfig config = config_of(info[0].As<Napi::Object>());
    const ChainNeeds needs = chain_needs(config, 1);
    memory_.push_back(Napi::Persistent(info[0].As<Napi::Object>()));
    const Napi::Object given = info[1].As<Napi::Object>();
    ChainMemory memory;
    memory.inputs = keep(given.Get("inputs"), needs.input_bytes);
    memory.external = keep(given.Get("external"), bytes_of_all(needs.external));
    memory.saved = keep(given.Get("saved"), needs.saved_bytes);
    memory.windows = keep(given.Get("windows"), needs.window_bytes);
    memory.workspace = keep_one(given.Get("workspace"), needs.workspace_bytes);
    chain_ = std::make_unique<Chain>(config, std::move(memory));
  }

 private:
  static std::vector<size_t> bytes_of_all(const std::vector<ExternalNeeds>& needs) {
    std::vector<size_t> bytes;
    for (const auto& [result, windows] : needs) {
      bytes.push_back(result.bytes);
      for (const ExternalRing& window : windows) bytes.push_back(window.bytes);
    }
    return bytes;
  }

  // Where these arrays lie. They have to outlive the chain's last push.
  std::vector<std::byte*> keep(const Napi::Value& value, const std::vector<size_t>& bytes) {
    const Napi::Array arrays = value.As<Napi::Array>();
    std::vector<std::byte*> places;
    for (size_t i = 0; i < bytes.size(); ++i) places.push_back(keep_one(arrays.Get(static_cast<uint32_t>(i)), bytes[i]));
    return places;
  }

  std::byte* keep_one(const Napi::Value& value, size_t bytes) {
    Napi::Uint8Array array = value.As<Napi::Uint8Array>();
    if (array.ByteLength() < bytes) throw Napi::RangeError::New(value.Env(), "the chain's memory is too small");
    memory_.push_back(Napi::Persistent(array.As<Napi::Object>()));
    return reinterpret_cast<std::byte*>(array.Data());
  }

  // push(planes, last, innerHighZ, width): Promise of what it leaves, or waits for; rejects with 'stopped' after stop(), or with
  // what is wrong with a voxel.
  Napi::Value push(const Napi::CallbackInfo& info) {
    const int planes = info[0].ToNumber().Int32Value();
    const bool last = info[1].ToBoolean(), inner_high_z = info[2].ToBoolean();
    const int width = info[3].ToNumber().Int32Value();
    return start(info.Env(), [=, this] { return chain_->push(planes, last, inner_high_z, width); });
  }

  // resume(values, width): the same, once what the push waits for has come.
  Napi::Value resume(const Napi::CallbackInfo& info) {
    auto values = std::make_shared<std::vector<double>>();
    if (info[0].IsTypedArray()) {
      const Napi::Float64Array given = info[0].As<Napi::Float64Array>();
      values->assign(given.Data(), given.Data() + given.ElementLength());
    }
    const int width = info[1].ToNumber().Int32Value();
    return start(info.Env(), [=, this] { return chain_->resume(values->data(), width); });
  }

  Napi::Value start(Napi::Env env, std::function<Awaited()> work) {
    Ref();
    auto awaited = std::make_shared<Awaited>();
    return start_job(
        env,
        [this, awaited, work] {
          if (!chain_->stopped()) *awaited = work();
        },
        [this, awaited](Napi::Env env) -> Napi::Value {
          const bool stopped = chain_->stopped();
          Unref();
          if (stopped) throw Napi::Error::New(env, "stopped");
          Napi::Object result = Napi::Object::New(env);
          if (std::holds_alternative<std::monostate>(*awaited)) result.Set("output", output_to_js(env, chain_->take_output()));
          else set_awaited(env, result, *awaited);
          return result;
        });
  }

  void stop(const Napi::CallbackInfo&) {
    if (chain_) chain_->stop();
  }

  // Gives the chain's memory back now, and not when the object is collected. Not while a push is under way.
  void close(const Napi::CallbackInfo&) { chain_.reset(); }

  std::unique_ptr<Chain> chain_;
  std::vector<Napi::ObjectReference> memory_;
};

Napi::Array sizes_to_js(Napi::Env env, const std::vector<size_t>& sizes) {
  Napi::Array array = Napi::Array::New(env, sizes.size());
  for (uint32_t i = 0; i < sizes.size(); ++i) array.Set(i, static_cast<double>(sizes[i]));
  return array;
}

Napi::Object ring_to_js(Napi::Env env, const ExternalRing& ring) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("image", ring.image);
  result.Set("planes", ring.planes);
  result.Set("bytes", static_cast<double>(ring.bytes));
  return result;
}

// chainNeeds(config, width): bytes of the rings, the workspace and the sparse data.
Napi::Value needs(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const ChainConfig config = config_of(info[0].As<Napi::Object>());
  const ChainNeeds bytes = chain_needs(config, info[1].ToNumber().Int32Value());
  Napi::Object result = Napi::Object::New(env);
  result.Set("inputBytes", sizes_to_js(env, bytes.input_bytes));
  result.Set("savedBytes", sizes_to_js(env, bytes.saved_bytes));
  result.Set("windowBytes", sizes_to_js(env, bytes.window_bytes));
  Napi::Array external = Napi::Array::New(env);
  for (const auto& [result_ring, windows] : bytes.external) {
    Napi::Object needs = ring_to_js(env, result_ring);
    Napi::Array feeds = Napi::Array::New(env);
    for (const ExternalRing& window : windows) feeds.Set(feeds.Length(), ring_to_js(env, window));
    needs.Set("feeds", feeds);
    external.Set(external.Length(), needs);
  }
  result.Set("external", external);
  result.Set("sourcePlanes", config.source_planes());
  result.Set("workspaceBytes", static_cast<double>(bytes.workspace_bytes));
  result.Set("sparseBytes", static_cast<double>(bytes.sparse_bytes));
  return result;
}

}  // namespace

void export_chain(Napi::Env env, Napi::Object exports) {
  exports.Set("Chain", ChainObject::define(env));
  exports.Set("chainNeeds", Napi::Function::New(env, needs));
}

}  // namespace somaflow
