// Plain values across the border between JavaScript and C++.
#pragma once

#include <napi.h>

#include <cstring>
#include <vector>

namespace somaflow {

inline double number(const Napi::Object& object, const char* key) { return object.Get(key).ToNumber().DoubleValue(); }
inline int32_t integer(const Napi::Object& object, const char* key) { return object.Get(key).ToNumber().Int32Value(); }
inline bool flag(const Napi::Object& object, const char* key) { return object.Get(key).ToBoolean(); }

template <typename T>
Napi::Value copy_to_array(Napi::Env env, const std::vector<T>& values) {
  Napi::TypedArrayOf<T> array = Napi::TypedArrayOf<T>::New(env, values.size());
  if (!values.empty()) std::memcpy(array.Data(), values.data(), values.size() * sizeof(T));
  return array;
}

template <typename T>
Napi::Array copy_each_to_array(Napi::Env env, const std::vector<std::vector<T>>& lists) {
  Napi::Array array = Napi::Array::New(env, lists.size());
  for (uint32_t i = 0; i < lists.size(); ++i) array.Set(i, copy_to_array(env, lists[i]));
  return array;
}

}  // namespace somaflow
