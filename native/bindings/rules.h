// Voxel types and methods by the names that JavaScript has for them.
#pragma once

#include <napi.h>

#include <string>

#include "bindings/values.h"
#include "chain/channels.h"

namespace somaflow {

inline Dtype dtype_of(const Napi::Value& value) {
  const std::string name = value.ToString().Utf8Value();
  if (name == "uint8") return Dtype::u8;
  if (name == "uint16") return Dtype::u16;
  if (name == "float32") return Dtype::f32;
  throw Napi::TypeError::New(value.Env(), "no type of voxels: " + name);
}

inline Method method_of(const Napi::Value& value) {
  const std::string name = value.ToString().Utf8Value();
  if (name == "max") return Method::max;
  if (name == "min") return Method::min;
  if (name == "mean") return Method::mean;
  if (name == "sum") return Method::sum;
  throw Napi::TypeError::New(value.Env(), "no method of measuring: " + name);
}

// The properties of an object that native/index.ts calls FloodRules.
inline FloodRules rules_of(const Napi::Object& options) {
  FloodRules rules;
  const Napi::Array dtypes = options.Get("dtypes").As<Napi::Array>();
  for (uint32_t i = 0; i < dtypes.Length(); ++i) rules.channels.push_back(dtype_of(dtypes.Get(i)));
  rules.method = method_of(options.Get("method"));
  rules.merge_plateaus = flag(options, "mergePlateaus");
  rules.seed_values = integer(options, "seedValues");
  rules.centroid = flag(options, "centroid");
  rules.box = flag(options, "box");
  rules.flags = flag(options, "flags");
  rules.saturated_channel = integer(options, "saturatedChannel");
  rules.voxels = flag(options, "voxels");
  const Napi::Array channels = options.Get("voxelChannels").As<Napi::Array>();
  for (uint32_t i = 0; i < channels.Length(); ++i) rules.voxel_channels.push_back(channels.Get(i).ToNumber().Int32Value());
  rules.reserved = integer(options, "reserved");
  return rules;
}

}  // namespace somaflow
