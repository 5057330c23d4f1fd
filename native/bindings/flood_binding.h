#pragma once

#include <napi.h>

namespace somaflow {
void export_flood(Napi::Env env, Napi::Object exports);
}  // namespace somaflow
