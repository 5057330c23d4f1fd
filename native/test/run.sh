#!/usr/bin/env bash
# Compiles the tests of the native code that need no Node, and runs them: with CXX and RUN for another machine than this one, such as
#
#     CXX=aarch64-linux-gnu-g++ RUN='qemu-aarch64 -L /usr/aarch64-linux-gnu' bash native/test/run.sh
set -euo pipefail
cd "$(dirname "$0")/.."
out=build/tests-${CXX:-g++}
mkdir -p "$out"

# run NAME SOURCE...: builds test/NAME.cc with these sources, and runs it.
run() {
  local name=$1
  shift
  ${CXX:-g++} -std=c++20 -O2 -pthread -Wall -Wextra -ffp-contract=off -fno-math-errno -I . "test/$name.cc" "$@" -o "$out/$name"
  ${RUN:-} "$out/$name" check
}

run opening_test kernels/{opening,opening_chain,opening_plan}.cc
run tiles_test kernels/{opening,opening_chain,opening_plan,opening_tiles,rows}.cc
run dog_test kernels/dog.cc
run pool_test runtime/pool.cc
run rows_test kernels/rows.cc
run illumination_test kernels/illumination.cc
run equalize_test kernels/{equalize,percentiles,sample_axis}.cc
floods=$(echo chain/{cell_voxels,flood,measures,neighbours,pieces,properties,ranks,scratch}.cc)
run flood_test $floods
run components_test $floods chain/{components,fragments,gathered}.cc
