// Compiles the file that SOMAFLOW_ROWS names once for each target, into a namespace of the target's name. Where no CPU has an
// instruction set its namespace is the portable one, so that whoever chooses a kernel by the target need not ask.
//
// All standard headers have to come before: an inline function compiled for AVX2 may be the copy that the linker keeps. A further
// target is one more namespace, with the width of its vectors.

namespace portable {
[[maybe_unused]] constexpr int vector_bytes = 16;
#include SOMAFLOW_ROWS
}  // namespace portable

#if defined(__x86_64__) || defined(__i386__)

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif
namespace avx2 {
[[maybe_unused]] constexpr int vector_bytes = 32;
#include SOMAFLOW_ROWS
}  // namespace avx2
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
// Loops that the compiler vectorises by itself take whole vectors too, which is not its own choice.
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")
#endif
namespace avx512 {
[[maybe_unused]] constexpr int vector_bytes = 64;
#include SOMAFLOW_ROWS
}  // namespace avx512
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#else
namespace avx2 = portable;
namespace avx512 = portable;
#endif

#undef SOMAFLOW_ROWS
