#pragma once
#include <cstdint>
#include <limits>
#include <type_traits>

namespace somaflow {

/// How a pixel is kept while it is opened: as a type of the same order whose minimum and maximum every instruction set has.
/// SSE2 has those of 8 bits unsigned, but of 16 bits signed; so the latter are kept with the top bit flipped.
template <typename T>
using Kept = std::conditional_t<std::is_same_v<T, uint16_t>, int16_t, T>;

/// What never counts in a minimum, and what never counts in a maximum.
template <typename K>
constexpr K most = std::numeric_limits<K>::has_infinity ? std::numeric_limits<K>::infinity() : std::numeric_limits<K>::max();
template <typename K>
constexpr K least = std::numeric_limits<K>::has_infinity ? -std::numeric_limits<K>::infinity() : std::numeric_limits<K>::min();

}  // namespace somaflow
