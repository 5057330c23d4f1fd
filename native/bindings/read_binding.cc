// Reads asked from JavaScript: run by the reader pool, resolved through one thread-safe function per environment.
#include "bindings/read_binding.h"

#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "runtime/file_reader.h"
#include "runtime/pool.h"

namespace somaflow {
namespace {

constexpr size_t kBoxNumbers = 9;

struct Read {
  explicit Read(Napi::Object into) : into(Napi::Persistent(into)) {}
  uint32_t ticket = 0;
  int fd = -1;
  StoredValues values;
  std::vector<FileBox> boxes;
  uint8_t* memory = nullptr;
  std::atomic<bool> stop{false};
  ReadResult result;
  napi_deferred deferred = nullptr;
  Napi::ObjectReference into;  // keeps the memory until the promise settles
};

// What one JavaScript environment (the main thread or a worker) has under way.
class Reads : public std::enable_shared_from_this<Reads> {
 public:
  Napi::Value start(const Napi::CallbackInfo& info);
  void stop(const Napi::CallbackInfo& info);

 private:
  static void settle(Napi::Env env, Napi::Function, Reads* reads, Read* read);
  using Settler = Napi::TypedThreadSafeFunction<Reads, Read, &Reads::settle>;
  void open(Napi::Env env);
  void close();
  void run(Read* read);

  // The JavaScript thread's own.
  std::unordered_map<uint32_t, std::unique_ptr<Read>> pending_;
  Settler settler_;
  bool opened_ = false;

  // Shared with the reader threads.
  std::mutex mutex_;
  std::condition_variable quiet_;
  int running_ = 0;
  bool closed_ = false;
};

// readBoxes(ticket, fd, boxes: Float64Array of nine numbers a box, into: typed array, type, swapped): Promise<Float64Array of
// status, errno, at, subject>. The promise never rejects: the error's words are made where the file's name is known.
Napi::Value Reads::start(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto numbers = info[2].As<Napi::Float64Array>();
  // The raw call, because the wrapper asks for the buffer as an ArrayBuffer, which a shared one is not.
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, info[3], &type, &length, &data, nullptr, nullptr) != napi_ok)
    throw Napi::TypeError::New(env, "readBoxes: into must be a typed array");
  const int64_t element = type == napi_uint8_array    ? 1
                          : type == napi_uint16_array ? 2
                          : type == napi_float32_array ? 4
                                                       : 0;
  if (element == 0) throw Napi::TypeError::New(env, "readBoxes: into must be a Uint8Array, Uint16Array or Float32Array");

  auto read = std::make_unique<Read>(info[3].As<Napi::Object>());
  read->ticket = info[0].As<Napi::Number>().Uint32Value();
  read->fd = info[1].As<Napi::Number>().Int32Value();
  const uint32_t stored = info[4].As<Napi::Number>().Uint32Value();
  if (stored >= kStoredTypes) throw Napi::TypeError::New(env, "readBoxes: no such type of voxel");
  read->values = {static_cast<StoredType>(stored), info[5].As<Napi::Boolean>().Value()};
  read->memory = static_cast<uint8_t*>(data);
  if (reinterpret_cast<uintptr_t>(data) % static_cast<uintptr_t>(read->values.memory_bytes()) != 0)
    throw Napi::RangeError::New(env, "readBoxes: into is not aligned");
  for (size_t at = 0; at + kBoxNumbers <= numbers.ElementLength(); at += kBoxNumbers) {
    const auto number = [&](size_t i) { return static_cast<int64_t>(numbers[at + i]); };
    const FileBox box{number(0), number(1), number(2), number(3), number(4), number(5), number(6), number(7), number(8)};
    if (!fits(box, read->values, static_cast<int64_t>(length) * element))
      throw Napi::RangeError::New(env, "readBoxes: a box does not fit into the memory given");
    read->boxes.push_back(box);
  }

  napi_value promise;
  if (napi_create_promise(env, &read->deferred, &promise) != napi_ok) throw Napi::Error::New(env);
  if (!opened_) open(env);
  if (pending_.empty()) settler_.Ref(env);
  Read* raw = read.get();
  pending_[raw->ticket] = std::move(read);
  {
    std::lock_guard lock(mutex_);
    ++running_;
  }
  Pool::readers().post([reads = shared_from_this(), raw] { reads->run(raw); });
  return Napi::Value(env, promise);
}

// stopRead(ticket): the read ends before its next piece; harmless once it has settled.
void Reads::stop(const Napi::CallbackInfo& info) {
  const auto found = pending_.find(info[0].As<Napi::Number>().Uint32Value());
  if (found != pending_.end()) found->second->stop.store(true, std::memory_order_relaxed);
}

void Reads::open(Napi::Env env) {
  opened_ = true;
  // The finalizer's argument keeps this object as long as the function lives.
  auto* self = new std::shared_ptr<Reads>(shared_from_this());
  settler_ = Settler::New(env, "somaflow reads", 0, 1, this, [self](Napi::Env, void*, Reads* reads) {
    reads->close();
    delete self;
  });
  settler_.Unref(env);
}

// The environment ends, perhaps amid reads (a worker that is terminated): no thread may write into its memory from here on.
void Reads::close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  for (auto& [ticket, read] : pending_) read->stop.store(true, std::memory_order_relaxed);
  quiet_.wait(lock, [this] { return running_ == 0; });
  // The promises and references of what is left belong to an environment that is gone; they are not to be touched.
  for (auto& [ticket, read] : pending_) static_cast<void>(read.release());
  pending_.clear();
}

// On a reader thread.
void Reads::run(Read* read) {
  read->result = read_boxes(read->fd, read->boxes.data(), read->boxes.size(), read->memory, read->values, read->stop);
  std::lock_guard lock(mutex_);
  // The queue has no limit, so this does not block while the mutex is held.
  if (!closed_) settler_.NonBlockingCall(read);
  --running_;
  quiet_.notify_all();
}

// Back on the JavaScript thread. Plain calls of the C interface, whose failures are passed over: when a worker is being
// terminated none of them works any more, and an exception of the wrapper classes would end the process.
void Reads::settle(Napi::Env env, Napi::Function, Reads* reads, Read* read) {
  if (env == nullptr) return;  // the queue is being emptied at the end of the environment
  const auto found = reads->pending_.find(read->ticket);
  const auto owned = std::move(found->second);
  reads->pending_.erase(found);
  if (reads->pending_.empty()) napi_unref_threadsafe_function(env, reads->settler_);
  const ReadResult& result = read->result;
  const double numbers[4] = {static_cast<double>(result.status), static_cast<double>(result.error),
                             static_cast<double>(result.at), static_cast<double>(result.subject)};
  napi_value buffer, answer;
  void* data = nullptr;
  if (napi_create_arraybuffer(env, sizeof numbers, &data, &buffer) != napi_ok) return;
  std::memcpy(data, numbers, sizeof numbers);
  if (napi_create_typedarray(env, napi_float64_array, 4, buffer, 0, &answer) != napi_ok) return;
  napi_resolve_deferred(env, read->deferred, answer);
}

}  // namespace
}  // namespace somaflow

void export_reader(Napi::Env env, Napi::Object exports) {
  auto reads = std::make_shared<somaflow::Reads>();
  exports.Set("readBoxes", Napi::Function::New(env, [reads](const Napi::CallbackInfo& info) { return reads->start(info); }, "readBoxes"));
  exports.Set("stopRead", Napi::Function::New(env, [reads](const Napi::CallbackInfo& info) { reads->stop(info); }, "stopRead"));
}
