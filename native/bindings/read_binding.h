#pragma once

#include <napi.h>

// Adds readBoxes and stopRead; see native/fileReader.ts, which is the only user.
void export_reader(Napi::Env env, Napi::Object exports);
