#include "chain/scratch.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <vector>

namespace somaflow {

std::byte* Scratch::take(size_t bytes, size_t limit, const std::string& folder) {
  if (bytes <= size_ && (!mapped_ || bytes > limit)) return data_;
  drop();
  if (bytes <= limit) {
    data_ = static_cast<std::byte*>(std::aligned_alloc(64, Cutter::rounded(bytes)));
    if (data_ == nullptr) throw std::bad_alloc();
    size_ = bytes;
    return data_;
  }
  std::string path = folder + "/somaflow-XXXXXX";
  const int file = mkstemp(path.data());
  if (file < 0) throw std::runtime_error(path + ": cannot make a scratch file, " + std::strerror(errno));
  unlink(path.c_str());
  void* const mapped = posix_fallocate(file, 0, static_cast<off_t>(bytes)) == 0
                           ? mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
                           : MAP_FAILED;
  close(file);
  if (mapped == MAP_FAILED)
    throw std::runtime_error(folder + ": no room for " + std::to_string(bytes) + " bytes of scratch");
  data_ = static_cast<std::byte*>(mapped);
  size_ = bytes;
  mapped_ = true;
  return data_;
}

void Scratch::drop() {
  if (mapped_) munmap(data_, size_);
  else std::free(data_);
  data_ = nullptr;
  size_ = 0;
  mapped_ = false;
}

}  // namespace somaflow
