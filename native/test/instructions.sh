#!/usr/bin/env bash
# Shows by the built addon's objects that each kernel was compiled for each target: vectors of its width and no wider ones, and nowhere a
# fused multiplication and addition, whose result has other bits.
set -euo pipefail
[ "$(uname -m)" = x86_64 ] || { echo 'instructions: of an x86-64 build only'; exit 0; }
cd "$(dirname "$0")/../build/Release/obj.target/somaflow/kernels"

failed=0
printf '%-14s %-9s %9s %9s %9s %5s\n' kernel target xmm ymm zmm fma
for object in opening opening_chain dog rows equalize illumination; do
  for target in portable avx2 avx512; do
    # Instructions of the functions that lie in the target's namespace.
    code=$(objdump -d --no-show-raw-insn "$object.o" |
      awk -v name="${#target}$target" '/^[0-9a-f]+ <.*>:$/ { on = index($0, name) > 0; next } on')
    count() { grep -cE "$1" <<< "$code" || true; }
    xmm=$(count '%xmm') ymm=$(count '%ymm') zmm=$(count '%zmm') fma=$(count '\bvfn?m(add|sub)')
    printf '%-14s %-9s %9d %9d %9d %5d\n' "$object" "$target" "$xmm" "$ymm" "$zmm" "$fma"
    case $target in
      portable) [ "$xmm" -gt 0 ] && [ "$ymm" -eq 0 ] && [ "$zmm" -eq 0 ] || failed=1 ;;
      avx2) [ "$ymm" -gt 0 ] && [ "$zmm" -eq 0 ] || failed=1 ;;
      avx512) [ "$zmm" -gt 0 ] || failed=1 ;;
    esac
    [ "$fma" -eq 0 ] || failed=1
  done
done
[ "$failed" -eq 0 ] || { echo 'a kernel lacks the vectors of its target, has wider ones, or fuses'; exit 1; }
