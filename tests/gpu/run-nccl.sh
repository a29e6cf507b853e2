#!/usr/bin/env bash
# Runs the nccl backend on a machine with a GPU: one rank, then two and eight ranks on one GPU, alone
# and as muster's check gang, with corrupted data, a stopped and a killed rank, and nccl-tests beside
# them where it is installed (with MPI for several ranks), in alternating runs.
#
#   tests/gpu/run-nccl.sh [BUILD_FOLDER]
#
# Builds into BUILD_FOLDER (build/gpu), unless programs without a build are there. Headers and
# libraries that the machine lacks may lie in a folder named by MUSTER_CARRY, with include/, lib/ and
# lib/pkgconfig/ in it. NCCL_TESTS names all_reduce_perf where it is not found. Writes what it saw to
# $OUT (or BUILD_FOLDER/gpu-report). Takes some five minutes on an H100. Exit codes: 0 all well,
# 1 something failed, 77 no GPU or no NCCL here.
set -u -o pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(realpath -m "${1:-$root/build/gpu}")
report=${OUT:-$build/gpu-report}
# shellcheck source=tests/gpu/report.sh
source "$root/tests/gpu/report.sh"
bench=$build/bin/muster-bench
rounds=3

# Ninja where it is installed, else make. Programs without the build around them are taken as they
# are; a build is brought up to date.
build_all() {
  local configured=
  [ -e "$build/build.ninja" ] || [ -e "$build/Makefile" ] && configured=yes
  if [ -z "$configured" ] && "$bench" --help >/dev/null 2>&1; then
    say "using the programs in $build"
    return 0
  fi
  local generator=()
  if [ -z "$configured" ]; then
    command -v ninja >/dev/null && generator=(-G Ninja)
    step configure 120 cmake -S "$root" -B "$build" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release \
      -DMUSTER_BUILD_TESTS=OFF -DMUSTER_WITH_NCCL=ON -DMUSTER_WITH_LIBFABRIC=AUTO \
      -DMUSTER_WITH_MUNGE=AUTO || return 1
  fi
  step build 500 cmake --build "$build" --parallel "$(nproc)" \
    --target muster muster-bench muster-rendezvous muster_bench_nccl_module
}

describe_machine() {
  {
    uname -srm
    command -v nvidia-smi >/dev/null &&
      timeout 30 nvidia-smi --query-gpu=index,name,driver_version,memory.used --format=csv
    g++ --version | head -n 1
    cmake --version | head -n 1
    ldconfig -p | grep -E 'libnccl|libfabric' || true
  } 2>&1 | tee "$report/machine.txt"
}

# Of the files given, which are tables of either program: the middle one's COLUMN at SIZE.
median() { # COLUMN SIZE FILE...
  awk -v column="$1" -v size="$2" '$1 == size && $3 == "float" { print $column }' "${@:3}" |
    sort -g | awk '{ value[NR] = $1 } END { if (NR) print value[int((NR + 1) / 2)] }'
}

# Medians of our runs and of nccl-tests': at most PERCENT apart, or two coefficients of variation.
compare() { # NAME COLUMN SIZE PERCENT
  local name=$1 column=$2 size=$3 percent=$4 ours theirs cv
  ours=$(median "$column" "$size" "$report/$name".ours.*.txt)
  theirs=$(median "$column" "$size" "$report/$name".theirs.*.txt)
  cv=$(median 16 "$size" "$report/$name".ours.*.txt)
  if [ -z "$ours" ] || [ -z "$theirs" ] || [ -z "$cv" ]; then
    failed "$name: no rows of $size bytes to compare"
    return
  fi
  awk -v a="$ours" -v b="$theirs" -v p="$percent" -v cv="$cv" -v s="$size" -v n="$name" 'BEGIN {
    limit = p >= 10 && 2 * cv > p ? 2 * cv : p
    apart = (a > b ? a - b : b - a) / b * 100
    printf "%s, %d bytes: ours %.2f GB/s, nccl-tests %.2f GB/s, %.2f %% apart (limit %.1f)\n",
      n, s, a, b, apart, limit
    exit apart > limit }' || failed "$name: too far apart at $size bytes"
}

find_nccl_tests() {
  local place
  for place in "${NCCL_TESTS:-}" all_reduce_perf /opt/nccl-tests/build/all_reduce_perf \
    "$root/../nccl-tests/build/all_reduce_perf"; do
    [ -n "$place" ] && command -v "$place" && return 0
  done
  return 1
}

has_mpi_tests() {
  [ -n "$nccl_tests" ] && command -v mpirun >/dev/null && ldd "$nccl_tests" | grep -q libmpi
}

# nccl-tests as RANKS hosts that share the first GPU.
run_theirs() { # NAME LIMIT RANKS ARGUMENT...
  local name=$1 limit=$2 ranks=$3
  shift 3
  # shellcheck disable=SC2016
  NCCL_TESTS_DEVICE=0 step "$name" "$limit" mpirun --allow-run-as-root --oversubscribe \
    --bind-to none -np "$ranks" bash -c 'NCCL_HOSTID=host-$OMPI_COMM_WORLD_RANK exec "$0" "$@"' \
    "$nccl_tests" -g 1 "$@"
}

# Our program; the data of all rows must be right.
run_ours() { # NAME LIMIT OPERATION ARGUMENT...
  local name=$1 limit=$2
  shift 2
  step "$name" "$limit" "$bench" "$@" --backend nccl --deadline $((limit - 10)) ||
    failed "$name: exit code $?"
  grep -q '# Out of bounds values : 0 OK' "$report/$name.txt" || failed "$name: data"
}

# Ends with CODE and says TEXT.
expect() { # NAME LIMIT CODE TEXT COMMAND...
  local name=$1 limit=$2 code=$3 text=$4 got=0
  shift 4
  step "$name" "$limit" "$@" || got=$?
  [ "$got" -eq "$code" ] || failed "$name: exit code $got, expected $code"
  grep -Eq -- "$text" "$report/$name.txt" || failed "$name: nothing says '$text'"
}

use_carried
describe_machine
build_all || { failed "build"; exit 1; }

step probe 60 "$bench" all_reduce --backend nccl -b 8 -n 1 --deadline 50
case $? in
  0) ;;
  3) skip "muster-bench cannot use nccl here: $(tail -n 1 "$report/probe.txt")" ;;
  *) failed "one small all-reduce" ;;
esac
nccl_tests=$(find_nccl_tests) || say "nccl-tests is not installed (NCCL_TESTS): nothing is compared"

# One rank: algbw is the speed of a copy on the GPU.
rm -f "$report"/*.ours.*.txt "$report"/*.theirs.*.txt
for ((round = 1; round <= rounds; ++round)); do
  run_ours "one-rank.ours.$round" 120 all_reduce -b 64M -e 1G -f 4 -n 20 -w 5
  [ -n "$nccl_tests" ] || continue
  step "one-rank.theirs.$round" 120 "$nccl_tests" -b 64M -e 1G -f 4 -g 1 -n 20 -w 5 ||
    failed "nccl-tests"
done
if [ -n "$nccl_tests" ]; then
  for size in 67108864 268435456 1073741824; do compare one-rank 7 "$size" 2; done
fi

# Several ranks on one GPU: hosts of their own to NCCL, sockets over loopback, few thread blocks.
export MUSTER_BENCH_SHARE_GPU=1 NCCL_NET=Socket NCCL_SOCKET_IFNAME=lo NCCL_IB_DISABLE=1
export NCCL_MAX_CTAS=2
for ranks in 2 8; do
  for ((round = 1; round <= rounds; ++round)); do
    run_ours "$ranks-ranks.ours.$round" 150 all_reduce -g "$ranks" -b 64M -n 5
    has_mpi_tests || continue
    run_theirs "$ranks-ranks.theirs.$round" 150 "$ranks" -b 64M -e 64M -n 5 -w 1 ||
      failed "nccl-tests of $ranks ranks"
  done
  if has_mpi_tests; then compare "$ranks-ranks" 8 67108864 10; fi
done

for operation in all_gather reduce_scatter broadcast reduce alltoall sendrecv; do
  run_ours "$operation" 100 "$operation" -g 2 -b 1M -e 16M -f 4 -n 5
done

# What must be seen: one element, a rank that stops in mid-collective, one that dies there.
two=("$bench" all_reduce -g 2 -b 16M -n 5 --backend nccl)
expect corrupted 60 7 'Out of bounds values : 2 FAILED' \
  env MUSTER_BENCH_FAULT=corrupt:1 "${two[@]}" --deadline 50
expect stopped 60 4 'rank 1 .*did not end by the deadline: killed' \
  env MUSTER_BENCH_FAULT=stop:1 "${two[@]}" --deadline 15
expect killed 60 137 'rank 1 .*died of signal 9 .SIGKILL' \
  env MUSTER_BENCH_FAULT=crash:1 "${two[@]}" --deadline 50

# The same as muster's check gang, before a program that does nothing. busbw of 8 ranks is 1.75 times
# algbw. With wrong data the program is not started and the rank is named.
muster=("$build/bin/muster" --standalone --nproc-per-node 8 --check=nccl --check-sizes 16M)
expect muster-check 200 0 'check: verdict: go' "${muster[@]}" -- true
awk '$3 == "float" { exit !($8 / $7 > 1.7 && $8 / $7 < 1.8) }' "$report/muster-check.txt" ||
  failed "muster did not measure 8 ranks"
expect muster-corrupted 250 83 'check: verdict: stop: .*wrong data.*rank 3' \
  env MUSTER_BENCH_FAULT=corrupt:3 "${muster[@]}" --check-deadline 60 -- false

say "$failures failures, details in $report"
[ "$failures" -eq 0 ]
