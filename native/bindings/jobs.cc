#include "bindings/jobs.h"

#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "runtime/pool.h"

namespace somaflow {

namespace {

struct Job {
  std::function<void()> work;
  std::function<Napi::Value(Napi::Env)> result;
  Napi::Promise::Deferred deferred;
  std::string error;
  bool failed = false;
};

// One thread-safe function serves all jobs of an environment; it holds the event loop only while jobs are pending.
struct Jobs {
  Napi::ThreadSafeFunction settle;
  int pending = 0;
};

Jobs& jobs_of(Napi::Env env) {
  Jobs* jobs = env.GetInstanceData<Jobs>();
  if (jobs != nullptr) return *jobs;
  jobs = new Jobs();
  jobs->settle = Napi::ThreadSafeFunction::New(
      env, Napi::Function::New(env, [](const Napi::CallbackInfo&) {}), "somaflow jobs", 0, 1);
  jobs->settle.Unref(env);
  env.SetInstanceData(jobs);
  return *jobs;
}

void settle(Napi::Env env, Napi::Function, Job* raw) {
  const std::unique_ptr<Job> job(raw);
  if (static_cast<napi_env>(env) == nullptr) return;  // the environment is going away
  Jobs& jobs = jobs_of(env);
  if (--jobs.pending == 0) jobs.settle.Unref(env);
  Napi::HandleScope scope(env);
  try {
    // The result is made even after a failure, since it also lets go of what the job used.
    const Napi::Value value = job->result(env);
    if (job->failed) job->deferred.Reject(Napi::Error::New(env, job->error).Value());
    else job->deferred.Resolve(value);
  } catch (const Napi::Error& error) {
    job->deferred.Reject(error.Value());
  }
}

}  // namespace

Napi::Promise start_job(Napi::Env env, std::function<void()> work,
                        std::function<Napi::Value(Napi::Env)> result) {
  Jobs& jobs = jobs_of(env);
  Job* job = new Job{std::move(work), std::move(result), Napi::Promise::Deferred::New(env), {}, false};
  const Napi::Promise promise = job->deferred.Promise();
  if (jobs.pending++ == 0) jobs.settle.Ref(env);
  const Napi::ThreadSafeFunction function = jobs.settle;
  Pool::instance().post([job, function] {
    try {
      job->work();
    } catch (const std::exception& error) {
      job->failed = true;
      job->error = error.what();
    }
    function.NonBlockingCall(job, settle);
  });
  return promise;
}

int pending_jobs(Napi::Env env) { return jobs_of(env).pending; }

}  // namespace somaflow
