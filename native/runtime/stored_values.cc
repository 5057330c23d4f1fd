#include "runtime/stored_values.h"

#include <cstddef>
#include <cstring>

namespace somaflow {

namespace {

uint16_t swapped16(uint16_t value) { return static_cast<uint16_t>(value << 8 | value >> 8); }
uint32_t swapped32(uint32_t value) { return __builtin_bswap32(value); }

// Row pointers are __restrict parameters of small functions: so the compiler vectorises these loops.
void swap16(uint16_t* __restrict values, size_t count) {
  for (size_t i = 0; i < count; ++i) values[i] = swapped16(values[i]);
}

void swap32(uint32_t* __restrict values, size_t count) {
  for (size_t i = 0; i < count; ++i) values[i] = swapped32(values[i]);
}

void zero_or_one(uint8_t* __restrict values, size_t count) {
  for (size_t i = 0; i < count; ++i) values[i] = values[i] != 0;
}

// All bits that some value has: whether one is outside is seen from them, without a branch in the loop.
uint16_t bits_of(const uint16_t* __restrict values, size_t count) {
  uint16_t bits = 0;
  for (size_t i = 0; i < count; ++i) bits = static_cast<uint16_t>(bits | values[i]);
  return bits;
}

template <bool swapped>
uint32_t load(const uint8_t* from, size_t at) {
  uint32_t value;
  std::memcpy(&value, from + 4 * at, sizeof value);
  return swapped ? swapped32(value) : value;
}

template <bool swapped>
Outside narrow_uint32(const uint8_t* __restrict from, uint16_t* __restrict into, size_t count) {
  uint32_t bits = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t value = load<swapped>(from, i);
    bits |= value;
    into[i] = static_cast<uint16_t>(value);
  }
  if (bits >> 16 == 0) return {};
  size_t first = 0;
  while (load<swapped>(from, first) >> 16 == 0) ++first;
  return {static_cast<int64_t>(first), load<swapped>(from, first)};
}

Outside negative(const uint16_t* values, size_t count) {
  if (bits_of(values, count) >> 15 == 0) return {};
  size_t first = 0;
  while (values[first] >> 15 == 0) ++first;
  return {static_cast<int64_t>(first), static_cast<int16_t>(values[first])};
}

}  // namespace

int64_t StoredValues::file_bytes() const {
  switch (type) {
    case StoredType::uint8:
    case StoredType::boolean:
      return 1;
    case StoredType::uint16:
    case StoredType::int16:
      return 2;
    case StoredType::uint32:
    case StoredType::float32:
      break;
  }
  return 4;
}

int64_t StoredValues::memory_bytes() const { return type == StoredType::uint32 ? 2 : file_bytes(); }

Outside convert_in_place(const StoredValues& values, uint8_t* bytes, int64_t count) {
  const size_t size = static_cast<size_t>(count);
  if (values.type == StoredType::boolean) zero_or_one(bytes, size);
  if (values.swapped && values.file_bytes() == 2) swap16(reinterpret_cast<uint16_t*>(bytes), size);
  if (values.swapped && values.file_bytes() == 4) swap32(reinterpret_cast<uint32_t*>(bytes), size);
  if (values.type == StoredType::int16) return negative(reinterpret_cast<const uint16_t*>(bytes), size);
  return {};
}

Outside narrow(const StoredValues& values, const uint8_t* from, uint8_t* into, int64_t count) {
  uint16_t* const narrowed = reinterpret_cast<uint16_t*>(into);
  return values.swapped ? narrow_uint32<true>(from, narrowed, static_cast<size_t>(count))
                        : narrow_uint32<false>(from, narrowed, static_cast<size_t>(count));
}

}  // namespace somaflow
