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

void swap_bytes(uint8_t* bytes, int64_t count) {
  uint16_t* values = reinterpret_cast<uint16_t*>(bytes);
  for (int64_t i = 0; i < count / 2; ++i) values[i] = static_cast<uint16_t>(values[i] << 8 | values[i] >> 8);
}

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

// The same box with as few and as long rows as possible.
FileBox merged(FileBox box) {
  const auto merge_rows = [&box] {
    if (box.rows == 1) {
      box.rows = box.planes;
      box.row_stride = box.plane_stride;
      box.into_row_stride = box.into_plane_stride;
      box.planes = 1;
    }
    if (box.rows > 1 && box.row_stride == box.row_bytes && box.into_row_stride == box.row_bytes) {
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
  BoxReader(int fd, uint8_t* into, bool swap16, const std::atomic<bool>& stop)
      : fd_(fd), into_(into), swap16_(swap16), stop_(stop) {}

  ReadResult read(const FileBox& asked) {
    if (asked.planes == 0 || asked.rows == 0 || asked.row_bytes == 0) return {};
    const FileBox box = merged(asked);
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
    for (int64_t row = 0; row < box.rows; ++row) {
      for (int64_t at = 0; at < box.row_bytes; at += kReadBytes) {
        if (stop_.load(std::memory_order_relaxed)) return {ReadResult::Status::stopped};
        const int64_t count = std::min(kReadBytes, box.row_bytes - at);
        uint8_t* to = into_ + into + row * box.into_row_stride + at;
        const ReadResult result = read_exactly(fd_, to, count, offset + row * box.row_stride + at);
        if (result.status != ReadResult::Status::done) return result;
        if (swap16_) swap_bytes(to, count);
      }
    }
    return {};
  }

  ReadResult rows_with_gaps(const FileBox& box, int64_t offset, int64_t into) {
    const int64_t most = kScratchBytes / box.row_stride;
    if (scratch_.empty()) scratch_.resize(kScratchBytes);
    for (int64_t row = 0; row < box.rows; row += most) {
      if (stop_.load(std::memory_order_relaxed)) return {ReadResult::Status::stopped};
      const int64_t rows = std::min(most, box.rows - row);
      // The gap after the last row is left out: the file may end there.
      const int64_t count = (rows - 1) * box.row_stride + box.row_bytes;
      const ReadResult result = read_exactly(fd_, scratch_.data(), count, offset + row * box.row_stride);
      if (result.status != ReadResult::Status::done) return result;
      for (int64_t i = 0; i < rows; ++i) {
        uint8_t* to = into_ + into + (row + i) * box.into_row_stride;
        std::memcpy(to, scratch_.data() + i * box.row_stride, static_cast<size_t>(box.row_bytes));
        if (swap16_) swap_bytes(to, box.row_bytes);
      }
    }
    return {};
  }

  const int fd_;
  uint8_t* const into_;
  const bool swap16_;
  const std::atomic<bool>& stop_;
  std::vector<uint8_t> scratch_;
};

}  // namespace

bool fits(const FileBox& box, int64_t into_bytes) {
  constexpr int64_t limit = int64_t{1} << 53;  // what a JavaScript number counts exactly
  // Both sides are sums of three products; each factor is bounded first, so that __int128 cannot overflow.
  for (int64_t value : {box.offset, box.planes, box.rows, box.row_bytes, box.plane_stride, box.row_stride, box.into_offset,
                        box.into_plane_stride, box.into_row_stride})
    if (value < 0 || value > limit) return false;
  if (box.planes == 0 || box.rows == 0 || box.row_bytes == 0) return true;
  using Wide = __int128;
  const auto end = [&box](int64_t offset, int64_t plane_stride, int64_t row_stride) {
    return Wide{offset} + Wide{box.planes - 1} * plane_stride + Wide{box.rows - 1} * row_stride + box.row_bytes;
  };
  return end(box.offset, box.plane_stride, box.row_stride) <= limit &&
         end(box.into_offset, box.into_plane_stride, box.into_row_stride) <= into_bytes;
}

ReadResult read_boxes(int fd, const FileBox* boxes, size_t count, uint8_t* into, bool swap16, const std::atomic<bool>& stop) {
  BoxReader reader(fd, into, swap16, stop);
  for (size_t i = 0; i < count; ++i) {
    const ReadResult result = reader.read(boxes[i]);
    if (result.status != ReadResult::Status::done) return result;
  }
  return {};
}

}  // namespace somaflow
