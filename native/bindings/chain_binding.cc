// The chain as a JavaScript object: `new Chain(config, source, workspace, saved)`, `push(...)`, `stop()`, `close()`.
#include "bindings/chain_binding.h"

#include <memory>
#include <string>

#include "bindings/jobs.h"
#include "bindings/values.h"
#include "chain/chain.h"

namespace somaflow {

namespace {

Span span_of(const Napi::Object& box, const char* axis) {
  const Napi::Array pair = box.Get(axis).As<Napi::Array>();
  return {pair.Get(0u).ToNumber().Int32Value(), pair.Get(1u).ToNumber().Int32Value()};
}

Box box_of(const Napi::Object& config, const char* key) {
  const Napi::Object box = config.Get(key).As<Napi::Object>();
  return {span_of(box, "z"), span_of(box, "y"), span_of(box, "x")};
}

Window window_of(int32_t size) { return size < 1 ? Window{} : Window{size / 2, size - 1 - size / 2}; }

ChainConfig config_of(const Napi::Object& given) {
  ChainConfig config;
  config.target = given.Get("target").ToString().Utf8Value() == "avx2" ? Target::avx2 : Target::portable;
  config.height = integer(given, "height");
  config.width = integer(given, "width");
  config.core = box_of(given, "core");
  config.read = box_of(given, "read");
  const Napi::Array low = given.Get("innerLow").As<Napi::Array>(), high = given.Get("innerHigh").As<Napi::Array>();
  for (uint32_t axis = 0; axis < 3; ++axis) {
    config.inner_low[axis] = low.Get(axis).ToBoolean();
    config.inner_high[axis] = high.Get(axis).ToBoolean();
  }
  config.background_y = integer(given, "backgroundY");
  config.background_x = integer(given, "backgroundX");
  config.maxima = flag(given, "maxima");
  config.window_z = window_of(integer(given, "windowZ"));
  config.window_y = window_of(integer(given, "windowY"));
  config.window_x = window_of(integer(given, "windowX"));
  config.seed_threshold = number(given, "seedThreshold");
  config.shape = flag(given, "shape");
  config.mask_threshold = number(given, "maskThreshold");
  config.source_channel = flag(given, "sourceChannel");
  config.batch_planes = integer(given, "batchPlanes");
  config.held_limit = static_cast<size_t>(number(given, "heldLimitBytes"));
  config.fragment_limit = static_cast<size_t>(number(given, "fragmentLimitBytes"));
  config.flood_limit_voxels = integer(given, "floodLimitVoxels");
  return config;
}

Napi::Value output_to_js(Napi::Env env, const ChainOutput& out) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("rows", copy_to_array(env, out.rows));
  result.Set("fragments", copy_to_array(env, out.fragments.bytes));
  result.Set("index", copy_to_array(env, out.fragments.index));
  result.Set("links", copy_to_array(env, out.fragments.links));
  Napi::Array faces = Napi::Array::New(env, kFaces);
  for (uint32_t face = 0; face < kFaces; ++face) faces.Set(face, copy_to_array(env, out.fragments.faces[face]));
  result.Set("faces", faces);
  return result;
}

class ChainObject : public Napi::ObjectWrap<ChainObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Chain",
                       {InstanceMethod("push", &ChainObject::push), InstanceMethod("stop", &ChainObject::stop),
                        InstanceMethod("close", &ChainObject::close)});
  }

  explicit ChainObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ChainObject>(info) {
    const ChainConfig config = config_of(info[0].As<Napi::Object>());
    Napi::Uint16Array source = info[1].As<Napi::Uint16Array>();
    Napi::Uint8Array workspace = info[2].As<Napi::Uint8Array>();
    uint16_t* saved = nullptr;
    if (info[3].IsTypedArray()) {
      Napi::Uint16Array array = info[3].As<Napi::Uint16Array>();
      saved = array.Data();
      saved_ = Napi::Persistent(array.As<Napi::Object>());
    }
    // The arrays have to outlive the chain's last push.
    source_ = Napi::Persistent(source.As<Napi::Object>());
    workspace_ = Napi::Persistent(workspace.As<Napi::Object>());
    const ChainNeeds needs = chain_needs(config, 1);
    if (source.ByteLength() < needs.source_bytes || workspace.ByteLength() < needs.workspace_bytes)
      throw Napi::RangeError::New(info.Env(), "the chain's rings are too small");
    chain_ = std::make_unique<Chain>(config, source.Data(), reinterpret_cast<std::byte*>(workspace.Data()), saved);
  }

 private:
  // push(planes, last, innerHighZ, width): Promise of the sparse output; rejects with 'stopped' after stop().
  Napi::Value push(const Napi::CallbackInfo& info) {
    const int planes = info[0].ToNumber().Int32Value();
    const bool last = info[1].ToBoolean(), inner_high_z = info[2].ToBoolean();
    const int width = info[3].ToNumber().Int32Value();
    Ref();
    auto out = std::make_shared<ChainOutput>();
    return start_job(
        info.Env(), width,
        [this, out, planes, last, inner_high_z, width] {
          if (!chain_->stopped()) chain_->push(planes, last, inner_high_z, width, *out);
        },
        [this, out](Napi::Env env) {
          const bool stopped = chain_->stopped();
          Unref();
          if (stopped) throw Napi::Error::New(env, "stopped");
          return output_to_js(env, *out);
        });
  }

  void stop(const Napi::CallbackInfo&) {
    if (chain_) chain_->stop();
  }

  // Gives the chain's memory back now, and not when the object is collected. Not while a push is under way.
  void close(const Napi::CallbackInfo&) { chain_.reset(); }

  std::unique_ptr<Chain> chain_;
  Napi::ObjectReference source_, workspace_, saved_;
};

// chainNeeds(config, width): bytes of the rings, the workspace and the sparse data.
Napi::Value needs(const Napi::CallbackInfo& info) {
  const ChainConfig config = config_of(info[0].As<Napi::Object>());
  const ChainNeeds bytes = chain_needs(config, info[1].ToNumber().Int32Value());
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("sourceBytes", static_cast<double>(bytes.source_bytes));
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
