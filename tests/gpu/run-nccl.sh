#!/usr/bin/env bash
# Runs the nccl backend on a machine with a GPU: one rank, then eight ranks on one GPU, alone and as
# muster's check gang, with nccl-tests beside them where it is installed.
#
#   tests/gpu/run-nccl.sh [BUILD_FOLDER]
#
# Builds into BUILD_FOLDER (build/gpu) unless programs that run are there already. Headers and
# libraries that the machine lacks may lie in a folder named by MUSTER_CARRY, with include/, lib/ and
# lib/pkgconfig/ in it. Writes what it saw to $OUT (or BUILD_FOLDER/gpu-report). Exit codes: 0 all
# well, 1 something failed, 77 no GPU or no NCCL here.
set -u -o pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(realpath -m "${1:-$root/build/gpu}")
report=${OUT:-$build/gpu-report}
# shellcheck source=tests/gpu/report.sh
source "$root/tests/gpu/report.sh"

# Ninja where it is installed, else make.
build_all() {
  if "$build/bin/muster-bench" --help >/dev/null 2>&1; then
    say "using the programs in $build"
    return 0
  fi
  local generator=()
  command -v ninja >/dev/null && generator=(-G Ninja)
  step configure 120 cmake -S "$root" -B "$build" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release \
    -DMUSTER_BUILD_TESTS=OFF -DMUSTER_WITH_NCCL=ON -DMUSTER_WITH_LIBFABRIC=AUTO \
    -DMUSTER_WITH_MUNGE=AUTO || return 1
  step build 500 cmake --build "$build" --parallel "$(nproc)"
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

# The ranks of one gang on this node, joined as a parent would join them: gang NAME SIZE arguments.
gang() {
  local name=$1 size=$2
  shift 2
  local key port rank pids=() code=0
  key=$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')
  port=$((12000 + RANDOM % 7000))
  say "$name: $size ranks: muster-bench $*"
  for ((rank = 0; rank < size; ++rank)); do
    MUSTER_GROUP_ID=$$/0/0/$name MUSTER_GROUP_ADDRESSES=127.0.0.1 \
      MUSTER_GROUP_PORTS=$port,$((port + 1)),$((port + 2)) MUSTER_GROUP_RANK=$rank \
      MUSTER_GROUP_SIZE=$size MUSTER_GROUP_NODE=0 MUSTER_GROUP_LOCAL_RANK=$rank \
      MUSTER_GROUP_MEMBERS=$size MUSTER_GROUP_HOST=localhost \
      MUSTER_GROUP_SERVER=$((rank == 0)) MUSTER_GROUP_DEADLINE_MS=60000 MUSTER_GROUP_KEY=$key \
      timeout --kill-after=5 200 "$build/bin/muster-bench" "$@" \
      >"$report/$name.$rank.txt" 2>&1 &
    pids+=($!)
  done
  for rank in "${!pids[@]}"; do
    wait "${pids[$rank]}" || { code=$?; failed "$name: rank $rank ended with exit code $code"; }
  done
  cat "$report/$name.0.txt"
  return "$code"
}

# Out-of-place algbw at a size, from a table of either program.
algbw_at() { awk -v size="$2" '$1 == size && $3 == "float" { print $7; exit }' "$1"; }

# Ours against nccl-tests' at one size, at most `percent` apart.
compare() {
  local size=$1 percent=$2 ours theirs
  ours=$(algbw_at "$report/one-rank.txt" "$size")
  theirs=$(algbw_at "$report/nccl-tests.txt" "$size")
  if [ -z "$ours" ] || [ -z "$theirs" ]; then
    failed "no algbw at $size bytes to compare"
    return
  fi
  awk -v a="$ours" -v b="$theirs" -v p="$percent" -v s="$size" 'BEGIN {
    apart = (a > b ? a - b : b - a) / b * 100
    printf "%d bytes: ours %.2f GB/s, nccl-tests %.2f GB/s, %.2f %% apart\n", s, a, b, apart
    exit apart > p }' || failed "more than $percent % apart at $size bytes"
}

find_nccl_tests() {
  local place
  for place in "${NCCL_TESTS:-}" all_reduce_perf /opt/nccl-tests/build/all_reduce_perf \
    "$root/../nccl-tests/build/all_reduce_perf"; do
    [ -n "$place" ] && command -v "$place" && return 0
  done
  return 1
}

use_carried
describe_machine
build_all || { failed "build"; exit 1; }

step probe 60 "$build/bin/muster-bench" all_reduce --backend nccl -b 8 -n 1 --deadline 50
case $? in
  0) ;;
  3) skip "muster-bench cannot use nccl here: $(tail -n 1 "$report/probe.txt")" ;;
  *) failed "one small all-reduce" ;;
esac

# One rank. 64 MiB, 256 MiB, 1 GiB are the sizes that are compared.
step one-rank 200 "$build/bin/muster-bench" all_reduce --backend nccl -b 64M -e 1G -f 4 -n 20 -w 5 \
  --deadline 180 || failed "one rank"
grep -q '# Out of bounds values : 0 OK' "$report/one-rank.txt" || failed "one rank: data"
if nccl_tests=$(find_nccl_tests); then
  step nccl-tests 200 "$nccl_tests" -b 64M -e 1G -f 4 -g 1 -n 20 -w 5 || failed "nccl-tests"
  for size in 67108864 268435456 1073741824; do compare "$size" 2; done
else
  say "nccl-tests is not installed (NCCL_TESTS names its all_reduce_perf): nothing compared"
fi

# Eight ranks on one GPU: hosts of their own to NCCL, sockets over loopback, few thread blocks so
# that the kernels of all ranks fit on the GPU at once.
export MUSTER_BENCH_SHARE_GPU=1 NCCL_NET=Socket NCCL_SOCKET_IFNAME=lo NCCL_IB_DISABLE=1
export NCCL_MAX_CTAS=2 NCCL_DEBUG=WARN
for ranks in 2 8; do
  gang "gang-$ranks" "$ranks" all_reduce --backend nccl -b 1M -e 16M -f 4 -n 5 --deadline 150
  grep -q '# Out of bounds values : 0 OK' "$report/gang-$ranks.0.txt" ||
    failed "$ranks ranks: data"
done

for operation in all_gather reduce_scatter broadcast reduce alltoall sendrecv; do
  gang "gang-$operation" 2 "$operation" --backend nccl -b 1M -e 16M -f 4 -n 5 --deadline 150
  grep -q '# Out of bounds values : 0 OK' "$report/gang-$operation.0.txt" ||
    failed "$operation: data"
done

# The same as muster's check gang, before a program that does nothing.
if [ -x "$build/bin/muster" ]; then
  step muster-check 200 "$build/bin/muster" --standalone --nproc-per-node 8 --check=nccl -- true ||
    failed "muster --check=nccl"
  grep -Eq 'check: nccl all_reduce 8 ranks .*: fit' "$report/muster-check.txt" ||
    failed "muster's verdict"
else
  failed "there is no $build/bin/muster"
fi

# A rank that is missing: the others must end at their deadline, by abort, and leave nothing.
say "missing peer: one of two ranks, deadline 10 s"
began=$(date +%s)
MUSTER_GROUP_ID=$$/0/0/lonely MUSTER_GROUP_ADDRESSES=127.0.0.1 MUSTER_GROUP_PORTS=19990 \
  MUSTER_GROUP_RANK=0 MUSTER_GROUP_SIZE=2 MUSTER_GROUP_NODE=0 MUSTER_GROUP_LOCAL_RANK=0 \
  MUSTER_GROUP_MEMBERS=2 MUSTER_GROUP_HOST=localhost MUSTER_GROUP_SERVER=1 \
  MUSTER_GROUP_DEADLINE_MS=10000 MUSTER_GROUP_KEY=00112233445566778899aabbccddeeff \
  timeout 30 "$build/bin/muster-bench" all_reduce --backend nccl -b 8 --deadline 10 \
  >"$report/lonely.txt" 2>&1
code=$?
[ "$code" -eq 4 ] || failed "missing peer: exit code $code, expected 4"
[ $(($(date +%s) - began)) -le 15 ] || failed "missing peer: took longer than its deadline"

say "$failures failures, details in $report"
[ "$failures" -eq 0 ]
