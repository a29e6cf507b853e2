# Sourced by the scripts beside it, with `report` set to the folder of what they see: steps with a
# limit and a record, the count of what failed, and what the machine lacks from MUSTER_CARRY.
# shellcheck shell=bash disable=SC2154
mkdir -p "$report"
failures=0

say() { printf '== %s\n' "$*"; }
failed() { printf 'FAILED: %s\n' "$*"; failures=$((failures + 1)); }
skip() { printf 'SKIPPED: %s\n' "$*"; exit 77; }

# Runs a command with a limit, its output on the screen and in the report.
step() {
  local name=$1 limit=$2
  shift 2
  say "$name: $*"
  timeout --kill-after=5 "$limit" "$@" 2>&1 | tee "$report/$name.txt"
}

use_carried() {
  local carry=${MUSTER_CARRY:-}
  [ -n "$carry" ] || return 0
  carry=$(realpath "$carry")
  export CPATH=$carry/include${CPATH:+:$CPATH}
  export LIBRARY_PATH=$carry/lib${LIBRARY_PATH:+:$LIBRARY_PATH}
  export LD_LIBRARY_PATH=$carry/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  export PKG_CONFIG_PATH=$carry/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
  export CMAKE_PREFIX_PATH=$carry${CMAKE_PREFIX_PATH:+:$CMAKE_PREFIX_PATH}
}
