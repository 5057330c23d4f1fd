// Preloaded into a process, it makes the system refuse one file: FAIL_PATH names it, FAIL_ERRNO says how.
// FAIL_CALL "open" or "read" fails the first FAIL_TIMES calls; "stale" fails every read through the first FAIL_TIMES
// descriptors of the file. Reads before byte FAIL_FROM are left alone.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atomic>

namespace {

std::atomic<long> opened{0};
std::atomic<long> failures{0};
// Which opening of the file each descriptor comes from; 0 for those of other files.
std::atomic<long> opening[65536];

long number(const char* name) {
  const char* value = getenv(name);
  return value == nullptr ? 0 : atol(value);
}

bool asked(const char* call) {
  const char* value = getenv("FAIL_CALL");
  return value != nullptr && strcmp(value, call) == 0;
}

bool fail() {
  errno = static_cast<int>(number("FAIL_ERRNO"));
  return true;
}

bool fails_open(const char* path) {
  const char* failing = getenv("FAIL_PATH");
  if (failing == nullptr || strcmp(path, failing) != 0) return false;
  ++opened;
  return asked("open") && failures++ < number("FAIL_TIMES") && fail();
}

bool fails_read(int fd, off64_t offset) {
  if (fd < 0 || fd >= 65536 || opening[fd] == 0 || offset < number("FAIL_FROM")) return false;
  if (asked("stale")) return opening[fd] <= number("FAIL_TIMES") && fail();
  return asked("read") && failures++ < number("FAIL_TIMES") && fail();
}

}  // namespace

extern "C" int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const int mode = va_arg(arguments, int);
  va_end(arguments);
  if (fails_open(path)) return -1;
  static const auto next = reinterpret_cast<int (*)(const char*, int, ...)>(dlsym(RTLD_NEXT, "open64"));
  const int fd = next(path, flags, mode);
  const char* failing = getenv("FAIL_PATH");
  if (fd >= 0 && fd < 65536) opening[fd] = failing != nullptr && strcmp(path, failing) == 0 ? opened.load() : 0;
  return fd;
}

extern "C" ssize_t pread64(int fd, void* into, size_t count, off64_t offset) {
  if (fails_read(fd, offset)) return -1;
  static const auto next = reinterpret_cast<ssize_t (*)(int, void*, size_t, off64_t)>(dlsym(RTLD_NEXT, "pread64"));
  return next(fd, into, count, offset);
}
