#pragma once
#include <cstddef>
#include <cstdint>

namespace somaflow {

/// The types of a pixel. The numbers are those of the bindings.
enum class Dtype : uint8_t { u8, u16, f32 };

/// Calls `f.template operator()<T>()` for the pixel type T that `dtype` names.
template <typename F>
decltype(auto) with_type(Dtype dtype, F&& f) {
  switch (dtype) {
    case Dtype::u8:
      return f.template operator()<uint8_t>();
    case Dtype::u16:
      return f.template operator()<uint16_t>();
    case Dtype::f32:
      break;
  }
  return f.template operator()<float>();
}

/// Bytes of one pixel.
inline size_t bytes_of(Dtype dtype) {
  return with_type(dtype, []<typename T>() { return sizeof(T); });
}

}  // namespace somaflow
