// How voxels lie in a file, and what they are in memory.
#pragma once

#include <cstdint>

namespace somaflow {

// The numbers are those of `storedTypes` in native/fileReader.ts.
enum class StoredType : uint8_t { uint8, boolean, uint16, int16, uint32, float32 };
constexpr int kStoredTypes = 6;

struct StoredValues {
  StoredType type = StoredType::uint8;
  bool swapped = false;  // the file's byte order is not the machine's

  // Bytes of a value in the file and in memory: int16 and uint32 become uint16, boolean becomes uint8.
  int64_t file_bytes() const;
  int64_t memory_bytes() const;
  // Whether a value takes less room in memory than in the file, so that it cannot be converted where it lies.
  bool narrows() const { return memory_bytes() < file_bytes(); }
};

// A value that is no uint16.
struct Outside {
  int64_t index = -1;  // among the values given; -1 for none
  int64_t value = 0;
};

// Converts `count` values where they lie, aligned as values of memory_bytes() are. Not for types that narrow.
Outside convert_in_place(const StoredValues& values, uint8_t* bytes, int64_t count);

// Converts `count` values of a type that narrows. `from` may lie at any address; the two do not overlap.
Outside narrow(const StoredValues& values, const uint8_t* from, uint8_t* into, int64_t count);

}  // namespace somaflow
