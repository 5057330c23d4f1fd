// Positional reads of boxes out of files: rows and planes at byte strides in the file, to strides in memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "runtime/stored_values.h"

namespace somaflow {

// planes x rows x row_bytes bytes of the file, at byte strides on both sides. Strides are only looked at where the count is
// above 1.
struct FileBox {
  int64_t offset;  // of its first byte in the file
  int64_t planes, rows, row_bytes;
  int64_t plane_stride, row_stride;
  int64_t into_offset, into_plane_stride, into_row_stride;
};

struct ReadResult {
  enum class Status { done, stopped, ended, failed, outside };
  Status status = Status::done;
  int error = 0;        // failed: errno
  int64_t at = 0;       // ended: the byte at which the file ends; failed: the byte that could not be read; outside: which
                        // value of the memory it was to be
  int64_t subject = 0;  // ended: the end of the row, or run of rows, that was asked for; outside: the value that is no uint16
};

// Whether the box is made of whole values, lies inside `into_bytes` bytes of memory, aligned for them, and its offsets in
// the file are not negative.
bool fits(const FileBox& box, const StoredValues& values, int64_t into_bytes);

// Reads the boxes one after another. `stop` is tested between reads of at most kReadBytes, which are then made into the
// values that memory holds.
ReadResult read_boxes(int fd, const FileBox* boxes, size_t count, uint8_t* into, const StoredValues& values,
                      const std::atomic<bool>& stop);

// At most so many bytes are read between two looks at the stop flag; in the cache still when they are converted.
constexpr int64_t kReadBytes = 1 << 20;

}  // namespace somaflow
