// What JavaScript says of a chain, as plain values.
#include "bindings/chain_config.h"

#include <array>
#include <string>
#include <vector>

#include "bindings/rules.h"
#include "bindings/values.h"

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

}  // namespace

ChainConfig config_of(const Napi::Object& given) {
  ChainConfig config;
  const std::string asked = given.Get("target").ToString().Utf8Value();
  for (const auto& [target, name] : kTargets)
    if (name == asked) config.target = target;
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

}  // namespace somaflow
