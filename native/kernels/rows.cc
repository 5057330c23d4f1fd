#include "kernels/rows.h"

namespace somaflow {

namespace portable {
#include "kernels/rows.inl.h"
}

#if defined(__x86_64__)
#pragma GCC push_options
#pragma GCC target("avx2")
namespace avx2 {
#include "kernels/rows.inl.h"
}
#pragma GCC pop_options
#endif

RowKernels row_kernels(Target target) {
#if defined(__x86_64__)
  if (target == Target::avx2) return {avx2::mask_bits, avx2::peak_bits};
#endif
  (void)target;
  return {portable::mask_bits, portable::peak_bits};
}

}  // namespace somaflow
