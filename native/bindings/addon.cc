#include <napi.h>

#include "bindings/chain_binding.h"
#include "bindings/flood_binding.h"
#include "bindings/jobs.h"
#include "bindings/labels_binding.h"
#include "bindings/read_binding.h"
#include "bindings/synthetic_binding.h"
#include "kernels/target.h"

namespace somaflow {

namespace {

// supportedTargets(): names of the CPU targets that this machine runs, the best one last.
Napi::Value supported_targets(const Napi::CallbackInfo& info) {
  Napi::Array names = Napi::Array::New(info.Env());
  for (const auto& [target, name] : kTargets)
    if (supported(target)) names.Set(names.Length(), name);
  return names;
}

Napi::Value pending(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), pending_jobs(info.Env())); }

}  // namespace

static Napi::Object init(Napi::Env env, Napi::Object exports) {
  export_chain(env, exports);
  export_flood(env, exports);
  export_labels(env, exports);
  export_reader(env, exports);
  export_synthetic(env, exports);
  exports.Set("supportedTargets", Napi::Function::New(env, supported_targets));
  exports.Set("pendingJobs", Napi::Function::New(env, pending));
  return exports;
}

}  // namespace somaflow

static Napi::Object init(Napi::Env env, Napi::Object exports) { return somaflow::init(env, exports); }

NODE_API_MODULE(somaflow, init)
