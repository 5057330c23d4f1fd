#include "runtime/file_reader.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

namespace somaflow {

namespace {

// Rows whose gap is at most this are read together with their gaps: a system call costs more than copying the gap.
constexpr int64_t kGapBytes = 4096;
// Small enough to stay in the second-level cache between the read and the copy out of it.
constexpr int64_t kScratchBytes = 256 << 10;

// Reads exactly `count` bytes, whatever interrupts it.
ReadResult read_exactly(int fd, uint8_t* into, int64_t count, int64_t offset) {
  for (int64_t done = 0; done < count;) {
    const ssize_t got = pread(fd, into + done, static_cast<size_t>(count - done), offset + done);
    if (got > 0) {
      done += got;
    } else if (got == 0) {
      // The read may have begun behind the end already.
      struct stat file;
      const int64_t end = fstat(fd, &file) == 0 ? std::min<int64_t>(offset + done, file.st_size) : offset + done;
      return {ReadResult::Status::ended, 0, end, offset + count};
    } else if (errno != EINTR) {
      return {ReadResult::Status::failed, errno, offset + done, offset + count};
    }
  }
  return {};
}

// The same box with as few and as long rows as possible; a row takes `narrowing` times less memory than in the file.
FileBox merged(FileBox box, int64_t narrowing) {
  const auto merge_rows = [&box, narrowing] {
    if (box.rows == 1) {
      box.rows = box.planes;
      box.row_stride = box.plane_stride;
      box.into_row_stride = box.into_plane_stride;
      box.planes = 1;
    }
    if (box.rows > 1 && box.row_stride == box.row_bytes && box.into_row_stride * narrowing == box.row_bytes) {
      box.row_bytes *= box.rows;
      box.rows = 1;
    }
  };
  merge_rows();
  merge_rows();  // rows that became one let the planes be merged as rows
  return box;
}

class BoxReader {
 public:
  BoxReader(int fd, uint8_t* into, const StoredValues& values, const std::atomic<bool>& stop)
      : fd_(fd), into_(into), values_(values), narrowing_(values.file_bytes() / values.memory_bytes()), stop_(stop) {}

  ReadResult read(const FileBox& asked) {
    if (asked.planes == 0 || asked.rows == 0 || asked.row_bytes == 0) return {};
    const FileBox box = merged(asked, narrowing_);
    const int64_t gap = box.row_stride - box.row_bytes;
    const bool together = box.rows > 1 && gap >= 0 && gap <= kGapBytes && box.row_stride * 2 <= kScratchBytes;
    for (int64_t plane = 0; plane < box.planes; ++plane) {
      const int64_t offset = box.offset + plane * box.plane_stride;
      const int64_t into = box.into_offset + plane * box.into_plane_stride;
      const ReadResult result = together ? rows_with_gaps(box, offset, into) : rows_alone(box, offset, into);
      if (result.status != ReadResult::Status::done) return result;
    }
    return {};
  }

 private:
  ReadResult rows_alone(const FileBox& box, int64_t offset, int64_t into) {
    // What is narrowed goes through the scratch; all else is read to where it belongs.
    const int64_t piece = values_.narrows() ? kScratchBytes : kReadBytes;
    for (int64_t row = 0; row < box.rows; ++row) {
      for (int64_t at = 0; at < box.row_bytes; at += piece) {
        if (stop_.load(std::memory_order_relaxed)) return {ReadResult::Status::stopped};
        const int64_t count = std::min(piece, box.row_bytes - at);
        uint8_t* to = into_ + into + row * box.into_row_stride + at / narrowing_;
        uint8_t* raw = values_.narrows() ? scratch() : to;
        const ReadResult result = read_exactly(fd_, raw, count, offset + row * box.row_stride + at);
        if (result.status != ReadResult::Status::done) return result;
        const ReadResult taken = take(raw, to, count);
        if (taken.status != ReadResult::Status::done) return taken;
      }
    }
    return {};
  }

  ReadResult rows_with_gaps(const FileBox& box, int64_t offset, int64_t into) {
    const int64_t most = kScratchBytes / box.row_stride;
    for (int64_t row = 0; row < box.rows; row += most) {
      if (stop_.load(std::memory_order_relaxed)) return {ReadResult::Status::stopped};
      const int64_t rows = std::min(most, box.rows - row);
      // The gap after the last row is left out: the file may end there.
      const int64_t count = (rows - 1) * box.row_stride + box.row_bytes;
      const ReadResult result = read_exactly(fd_, scratch(), count, offset + row * box.row_stride);
      if (result.status != ReadResult::Status::done) return result;
      for (int64_t i = 0; i < rows; ++i) {
        uint8_t* to = into_ + into + (row + i) * box.into_row_stride;
        const ReadResult taken = take(scratch() + i * box.row_stride, to, box.row_bytes);
        if (taken.status != ReadResult::Status::done) return taken;
      }
    }
    return {};
  }

  // Puts `count` bytes of the file where they belong, as the values that they are in memory.
  ReadResult take(const uint8_t* raw, uint8_t* to, int64_t count) {
    const int64_t values = count / values_.file_bytes();
    Outside outside;
    if (values_.narrows()) {
      outside = narrow(values_, raw, to, values);
    } else {
      if (raw != to) std::memcpy(to, raw, static_cast<size_t>(count));
      outside = convert_in_place(values_, to, values);
    }
    if (outside.index < 0) return {};
    return {ReadResult::Status::outside, 0, (to - into_) / values_.memory_bytes() + outside.index, outside.value};
  }

  uint8_t* scratch() {
    if (scratch_.empty()) scratch_.resize(kScratchBytes);
    return scratch_.data();
  }

  const int fd_;
  uint8_t* const into_;
  const StoredValues values_;
  const int64_t narrowing_;
  const std::atomic<bool>& stop_;
  std::vector<uint8_t> scratch_;
};

}  // namespace

bool fits(const FileBox& box, const StoredValues& values, int64_t into_bytes) {
  constexpr int64_t limit = int64_t{1} << 53;  // what a JavaScript number counts exactly
  // Both sides are sums of three products; each factor is bounded first, so that __int128 cannot overflow.
  for (int64_t value : {box.offset, box.planes, box.rows, box.row_bytes, box.plane_stride, box.row_stride, box.into_offset,
                        box.into_plane_stride, box.into_row_stride})
    if (value < 0 || value > limit) return false;
  // A value is never cut, and lies in memory where the machine wants it.
  if (box.row_bytes % values.file_bytes() != 0) return false;
  for (int64_t value : {box.into_offset, box.into_plane_stride, box.into_row_stride})
    if (value % values.memory_bytes() != 0) return false;
  if (box.planes == 0 || box.rows == 0 || box.row_bytes == 0) return true;
  using Wide = __int128;
  const auto end = [&box](int64_t offset, int64_t plane_stride, int64_t row_stride, int64_t row_bytes) {
    return Wide{offset} + Wide{box.planes - 1} * plane_stride + Wide{box.rows - 1} * row_stride + row_bytes;
  };
  const int64_t into_row_bytes = box.row_bytes / values.file_bytes() * values.memory_bytes();
  return end(box.offset, box.plane_stride, box.row_stride, box.row_bytes) <= limit &&
         end(box.into_offset, box.into_plane_stride, box.into_row_stride, into_row_bytes) <= into_bytes;
}

ReadResult read_boxes(int fd, const FileBox* boxes, size_t count, uint8_t* into, const StoredValues& values,
                      const std::atomic<bool>& stop) {
  BoxReader reader(fd, into, values, stop);
  for (size_t i = 0; i < count; ++i) {
    const ReadResult result = reader.read(boxes[i]);
    if (result.status != ReadResult::Status::done) return result;
  }
  return {};
}

}  // namespace somaflow
