#pragma once

#include <napi.h>

namespace somaflow {

// Adds the class Synthetic; see native/synthetic.ts, which is the only user.
void export_synthetic(Napi::Env env, Napi::Object exports);

}  // namespace somaflow
