#pragma once
#include <array>
#include <cstdint>

namespace somaflow {

/// The instruction sets that every kernel body is compiled for, each faster than the one before. All give the same bits.
enum class Target : uint8_t { portable, avx2, avx512 };

struct NamedTarget {
  Target target;
  const char* name;
};
inline constexpr std::array<NamedTarget, 3> kTargets = {{{Target::portable, "portable"}, {Target::avx2, "avx2"}, {Target::avx512, "avx512"}}};

inline const char* name_of(Target target) { return kTargets[static_cast<size_t>(target)].name; }

/// Whether this machine can run code compiled for `target`.
inline bool supported(Target target) {
  if (target == Target::portable) return true;
#if defined(__x86_64__) || defined(__i386__)
  if (target == Target::avx2) return __builtin_cpu_supports("avx2") != 0;
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
#else
  return false;
#endif
}

/// What was compiled for a target.
template <typename Kernel>
const Kernel& for_target(Target target, const Kernel& portable, const Kernel& avx2, const Kernel& avx512) {
  return target == Target::avx512 ? avx512 : target == Target::avx2 ? avx2 : portable;
}

}  // namespace somaflow
