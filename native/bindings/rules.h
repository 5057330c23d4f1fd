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

// The properties `dtypes`, `method` and `mergePlateaus` of an object.
inline FloodRules rules_of(const Napi::Object& options) {
  FloodRules rules;
  const Napi::Array dtypes = options.Get("dtypes").As<Napi::Array>();
  for (uint32_t i = 0; i < dtypes.Length(); ++i) rules.channels.push_back(dtype_of(dtypes.Get(i)));
  rules.method = method_of(options.Get("method"));
  rules.merge_plateaus = flag(options, "mergePlateaus");
  return rules;
}

}  // namespace somaflow
