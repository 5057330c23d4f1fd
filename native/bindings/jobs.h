// Work on the pool whose end settles a promise.
#pragma once

#include <napi.h>

#include <functional>

namespace somaflow {

// Runs `work` on the pool; then, on the JavaScript thread, resolves with what `result` makes, or rejects with the
// message of what `work` threw. The event loop stays alive until then.
Napi::Promise start_job(Napi::Env env, std::function<void()> work,
                        std::function<Napi::Value(Napi::Env)> result);

// Jobs of this environment that are not settled.
int pending_jobs(Napi::Env env);

}  // namespace somaflow
