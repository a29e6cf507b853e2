#!/usr/bin/env bash
# Runs the workers' store against a PyTorch of the new era (2.2 and later), which Debian does not
# have and machines with a GPU do: PyTorch's store tests, then the bench beside PyTorch's servers.
#
#   tests/gpu/run-store.sh [BUILD_FOLDER] [tests|bench|all]
#
# Builds into BUILD_FOLDER (build/gpu) unless programs that run are there already. Headers and
# libraries that the machine lacks may lie in a folder named by MUSTER_CARRY, with include/, lib/ and
# lib/pkgconfig/ in it. PYTHON_EXEC names the Python that has torch. Writes what it saw to $OUT (or
# BUILD_FOLDER/store-report). Exit codes: 0 all well, 1 something failed, 2 wrong arguments, 77 no such
# torch here.
set -u -o pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(realpath -m "${1:-$root/build/gpu}")
part=${2:-all}
case $part in
  tests | bench | all) ;;
  *) echo "run-store.sh: '$part' is not one of tests, bench, all" >&2; exit 2 ;;
esac
report=${OUT:-$build/store-report}
# shellcheck source=tests/gpu/report.sh
source "$root/tests/gpu/report.sh"

programs=(muster-rendezvous)
[ "$part" = tests ] || programs+=(echo_server store_load)

programs_run() {
  local program
  for program in "${programs[@]}"; do
    "$build/bin/$program" --help >/dev/null 2>&1 || return 1
  done
}

# The bench's programs are part of the tests, so GoogleTest is needed to configure them; the tests of
# the store alone need none. A build folder that is there keeps its generator and its type.
build_all() {
  if programs_run; then
    say "using the programs in $build"
    return 0
  fi
  local options=()
  [ "$part" = tests ] || options+=(-DMUSTER_BUILD_TESTS=ON)
  if [ ! -e "$build/CMakeCache.txt" ]; then
    options+=(-DCMAKE_BUILD_TYPE=Release)
    [ "$part" = tests ] && options+=(-DMUSTER_BUILD_TESTS=OFF)
    command -v ninja >/dev/null && options+=(-G Ninja)
  fi
  step configure 120 cmake -S "$root" -B "$build" "${options[@]}" || return 1
  step build 400 cmake --build "$build" --parallel "$(nproc)" --target "${programs[@]}" || return 1
  programs_run || { say "what was built does not run: $build/bin"; return 1; }
}

find_python() {
  local python
  for python in ${PYTHON_EXEC:+"$PYTHON_EXEC"} python3 /usr/bin/python3; do
    timeout 120 "$python" -c 'import sys, torch, torch.distributed
version = tuple(int(part) for part in torch.__version__.split(".")[:2])
sys.exit(version < (2, 2))' 2>/dev/null && { command -v "$python"; return 0; }
  done
  return 1
}

use_carried
python=$(find_python) || skip "no Python here has torch 2.2 or later"
{
  uname -srm
  printf '%s cores, %s descriptors\n' "$(nproc)" "$(ulimit -Hn)"
  "$python" -c 'import torch; print("torch", torch.__version__)'
} 2>&1 | tee "$report/machine.txt"
build_all || { failed "build"; exit 1; }
export MUSTER_BIN_DIR=$build/bin PYTHON_EXEC=$python PYTHONDONTWRITEBYTECODE=1

if [ "$part" = tests ] || [ "$part" = all ]; then
  tests=$root/tests/rendezvous/tcpstore
  step modern-client 120 "$python" "$tests/modern_client_test.py" || failed "modern_client_test"
  step torch-store 450 "$python" "$tests/torch_store_test.py" || failed "torch_store_test"
  grep -E 'skipped' "$report/torch-store.txt" || say "no test was skipped"
fi

if [ "$part" = bench ] || [ "$part" = all ]; then
  step bench 590 "$python" "$root/tests/bench/store/store_bench.py" --python "$python" \
    --rounds 3 --seconds 2 --json "$report/bench.json" || failed "store_bench"
fi

say "$failures failures, details in $report"
[ "$failures" -eq 0 ]
