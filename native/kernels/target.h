#pragma once
#include <cstdint>

namespace somaflow {

/// The instruction sets that every kernel body is compiled for. All give the same bits.
enum class Target : uint8_t { portable, avx2 };

/// Whether this machine can run code compiled for `target`.
inline bool supported(Target target) {
  if (target == Target::portable) return true;
#if defined(__x86_64__) || defined(__i386__)
  return __builtin_cpu_supports("avx2") != 0;
#else
  return false;
#endif
}

/// The fastest target that this machine can run.
inline Target best_target() { return supported(Target::avx2) ? Target::avx2 : Target::portable; }

}  // namespace somaflow
