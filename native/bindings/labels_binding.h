#pragma once

#include <napi.h>

namespace somaflow {

void export_labels(Napi::Env env, Napi::Object exports);

}  // namespace somaflow
