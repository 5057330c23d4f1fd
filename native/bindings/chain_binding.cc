// The chain as a JavaScript object: `new Chain(config, memory)`, `push(...)`, `resume(...)`, `stop()`, `close()`.
#include "bindings/chain_binding.h"

#include <array>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "bindings/jobs.h"
#include "bindings/rules.h"
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

Window window_of(int32_t size) { return Window{size / 2, size - 1 - size / 2}; }

template <typename Each>
void for_each(const Napi::Object& object, const char* key, const Each& each) {
  const Napi::Array array = object.Get(key).As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) each(array.Get(i));
}

std::vector<int32_t> integers(const Napi::Object& object, const char* key) {
  std::vector<int32_t> values;
  for_each(object, key, [&](const Napi::Value& value) { values.push_back(value.ToNumber().Int32Value()); });
  return values;
}

// Numbers along z, y and x.
template <typename N>
std::array<N, 3> three(const Napi::Object& object, const char* key) {
  const Napi::Array values = object.Get(key).As<Napi::Array>();
  std::array<N, 3> of{};
  for (uint32_t axis = 0; axis < 3; ++axis) of[axis] = static_cast<N>(values.Get(axis).ToNumber().DoubleValue());
  return of;
}

// Where an array lies, which whoever keeps the object keeps too; null where there is none.
const double* doubles(const Napi::Object& object, const char* key) {
  const Napi::Value array = object.Get(key);
  return array.IsTypedArray() ? array.As<Napi::Float64Array>().Data() : nullptr;
}

StepConfig step_of(const Napi::Object& given) {
  const std::string kind = given.Get("kind").ToString().Utf8Value();
  if (kind == "opening")
    return OpeningStep{{integer(given, "sizeY"), integer(given, "sizeX"), flag(given, "disk"), flag(given, "reflected")}};
  if (kind == "dog")
    return DogStep{{three<int>(given, "size"), three<double>(given, "sigma"), three<double>(given, "sigma2")}};
  if (kind == "illumination") return IlluminationStep{doubles(given, "flatfield"), doubles(given, "background"), number(given, "scaling")};
  if (kind == "equalize")
    return EqualizeStep{{number(given, "low"), number(given, "high")},
                        number(given, "maxValue"),
                        flag(given, "nearest") ? Interpolation::nearest : Interpolation::linear,
                        three<int>(given, "window"),
                        three<int>(given, "spacing"),
                        integer(given, "mask")};
  if (kind == "external") return ExternalStep{integers(given, "others")};
  throw Napi::TypeError::New(given.Env(), "no step: " + kind);
}

ImageConfig image_of(const Napi::Object& given) {
  ImageConfig image;
  image.dtype = dtype_of(given.Get("dtype"));
  image.z = span_of(given, "z");
  image.y = span_of(given, "y");
  image.x = span_of(given, "x");
  image.from = integer(given, "from");
  image.name = given.Get("name").ToString().Utf8Value();
  if (image.from < 0) return image;
  image.window_z = {integer(given, "planesBefore"), integer(given, "planesAfter")};
  image.step = step_of(given.Get("step").As<Napi::Object>());
  return image;
}

TissueConfig tissue_of(const Napi::Value& value) {
  TissueConfig tissue;
  if (!value.IsObject()) return tissue;
  const Napi::Object given = value.As<Napi::Object>();
  tissue = {true, dtype_of(given.Get("dtype")), integer(given, "height"), integer(given, "width"), span_of(given, "y"), span_of(given, "x")};
  return tissue;
}

DetectorConfig detector_of(const Napi::Object& given) {
  DetectorConfig detector;
  detector.image = integer(given, "image");
  detector.channels = integers(given, "channels");
  detector.window_z = window_of(integer(given, "windowZ"));
  detector.window_y = window_of(integer(given, "windowY"));
  detector.window_x = window_of(integer(given, "windowX"));
  detector.first_of_equals = flag(given, "firstOfEquals");
  detector.seed_threshold = number(given, "seedThreshold");
  if (const Napi::Value asked = given.Get("prominence"); asked.IsObject()) {
    const Napi::Object prominence = asked.As<Napi::Object>();
    detector.prominence = {number(prominence, "height"), integer(prominence, "reachZ"), integer(prominence, "reachY"),
                           integer(prominence, "reachX")};
  }
  if (given.Get("radius").IsNumber()) detector.radius = number(given, "radius");
  for_each(given, "around", [&](const Napi::Value& value) {
    const Napi::Object around = value.As<Napi::Object>();
    const std::array<int32_t, 3> size = three<int32_t>(around, "window");
    detector.around.push_back({integer(around, "image"), window_of(size[0]), window_of(size[1]), window_of(size[2])});
  });
  detector.shape = flag(given, "shape");
  detector.mask_threshold = number(given, "maskThreshold");
  detector.rules = rules_of(given);
  return detector;
}

ChainConfig config_of(const Napi::Object& given) {
  ChainConfig config;
  config.target = given.Get("target").ToString().Utf8Value() == "avx2" ? Target::avx2 : Target::portable;
  config.depth = integer(given, "depth");
  config.height = integer(given, "height");
  config.width = integer(given, "width");
  config.core = box_of(given, "core");
  config.read = box_of(given, "read");
  const Napi::Array low = given.Get("innerLow").As<Napi::Array>(), high = given.Get("innerHigh").As<Napi::Array>();
  for (uint32_t axis = 0; axis < 3; ++axis) {
    config.inner_low[axis] = low.Get(axis).ToBoolean();
    config.inner_high[axis] = high.Get(axis).ToBoolean();
  }
  for_each(given, "images", [&](const Napi::Value& image) { config.images.push_back(image_of(image.As<Napi::Object>())); });
  config.tissue = tissue_of(given.Get("tissue"));
  for_each(given, "detectors", [&](const Napi::Value& detector) {
    config.detectors.push_back(detector_of(detector.As<Napi::Object>()));
  });
  for_each(given, "saves", [&](const Napi::Value& value) {
    const Napi::Object save = value.As<Napi::Object>();
    config.saves.push_back({integer(save, "image"), integer(save, "detector")});
  });
  config.batch_planes = integer(given, "batchPlanes");
  config.held_limit = static_cast<size_t>(number(given, "heldLimitBytes"));
  config.fragment_limit = static_cast<size_t>(number(given, "fragmentLimitBytes"));
  config.flood_limit_voxels = integer(given, "floodLimitVoxels");
  return config;
}

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
    return start(info.Env(), width, [=, this] { return chain_->push(planes, last, inner_high_z, width); });
  }

  // resume(values, width): the same, once what the push waits for has come.
  Napi::Value resume(const Napi::CallbackInfo& info) {
    auto values = std::make_shared<std::vector<double>>();
    if (info[0].IsTypedArray()) {
      const Napi::Float64Array given = info[0].As<Napi::Float64Array>();
      values->assign(given.Data(), given.Data() + given.ElementLength());
    }
    const int width = info[1].ToNumber().Int32Value();
    return start(info.Env(), width, [=, this] { return chain_->resume(values->data(), width); });
  }

  Napi::Value start(Napi::Env env, int width, std::function<Awaited()> work) {
    Ref();
    auto awaited = std::make_shared<Awaited>();
    return start_job(
        env, width,
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
