#pragma once

#include <napi.h>

namespace somaflow {
void export_chain(Napi::Env env, Napi::Object exports);
}  // namespace somaflow
