#pragma once

#include <napi.h>

#include "chain/config.h"

namespace somaflow {

// Arrays in it, such as flat fields, stay where they are: whoever keeps the chain keeps the object too.
ChainConfig config_of(const Napi::Object& given);

}  // namespace somaflow
