#!/usr/bin/env bash
# The installed library, used from outside the build tree: by find_package and by pkg-config, from
# C++, C and Python.
# usage: install_test.sh BUILD_DIR
set -euo pipefail
build=$(readlink -f "$1")
here=$(dirname "$(readlink -f "$0")")
examples=$(readlink -f "$here/../../examples")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" >"$work/install.log" || { cat "$work/install.log"; exit 1; }
flags=$(sed -n 's/^MUSTER_SANITIZE:[A-Z]*=\(.\+\)$/-fsanitize=\1/p' "$build/CMakeCache.txt")

prefix=$work/prefix
libdir=$(dirname "$(find "$prefix" -name 'libmuster_rendezvous.so.0' | head -1)")
export PKG_CONFIG_PATH=$libdir/pkgconfig
export MUSTER_TOKEN='a token of the install test'

# build_with_cmake SOURCE_DIR NAME: into $work/NAME
build_with_cmake() {
  cmake -G Ninja -S "$1" -B "$work/$2" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_CXX_FLAGS="$flags" \
    -DCMAKE_C_FLAGS="$flags" >"$work/$2.log" 2>&1 || { cat "$work/$2.log"; exit 1; }
  cmake --build "$work/$2" >"$work/$2.log" 2>&1 || { cat "$work/$2.log"; exit 1; }
}

# exchange_with PROGRAM...: four members; all print the same id, each rank once
exchange_with() {
  local members=() rank
  for rank in 0 1 2 3; do
    timeout 60 "$@" $rank 4 >"$work/member.$rank" &
    members+=($!)
  done
  for rank in 0 1 2 3; do wait "${members[$rank]}"; done
  cat "$work"/member.?
  for rank in 0 1 2 3; do grep -q "^rank $rank of 4 on .*: id [0-9a-f]\{8\}$" "$work/member.$rank"; done
  [ "$(sed 's/.* id //' "$work"/member.? | sort -u | wc -l)" = 1 ]
}

# C++, by find_package and by pkg-config.
export MUSTER_LIBEXEC_DIR=$prefix/libexec/muster # static code elsewhere than it was configured for
build_with_cmake "$here/consumer" consumer
"$work/consumer/consumer" | tee "$work/first"
grep -qx 'rank 0 of 1' "$work/first"
g++ -std=c++20 $flags "$here/consumer/main.cc" $(pkg-config --cflags --libs muster-rendezvous-cpp) \
  -o "$work/by-pkg-config"
"$work/by-pkg-config" | tee "$work/second"
grep -qx 'rank 0 of 1' "$work/second"
build_with_cmake "$examples/07_embed_in_cpp" example-cpp
timeout 60 "$work/example-cpp/gather" 4 | tee "$work/gathered"
[ "$(grep -c '^rank [0-3] is process [0-9]\+$' "$work/gathered")" = 4 ]

# C99, static: one file of ours. Shared: the helper program is found from the library's place.
c99="cc -std=c99 -pedantic -Wall -Wextra -Werror $flags $examples/06_embed_in_c/exchange.c"
$c99 $(pkg-config --cflags --libs muster-rendezvous-static) -o "$work/exchange-static"
exchange_with "$work/exchange-static"
unset MUSTER_LIBEXEC_DIR
$c99 $(pkg-config --cflags --libs muster-rendezvous) "-Wl,-rpath,$libdir" -o "$work/exchange"
exchange_with "$work/exchange"
build_with_cmake "$examples/06_embed_in_c" example-c
exchange_with "$work/example-c/exchange"

# Python finds the library from the module's place. A sanitized library needs its runtime first.
case $flags in
  *address*) preload="$(cc -print-file-name=libasan.so) $(g++ -print-file-name=libstdc++.so.6)" ;;
  *thread*) preload="$(cc -print-file-name=libtsan.so) $(g++ -print-file-name=libstdc++.so.6)" ;;
esac
PYTHONPATH=$libdir/muster/python LD_PRELOAD=${preload:-} ASAN_OPTIONS=detect_leaks=0 python3 -c '
import muster_rendezvous as m
with m.Group.join_with(job=601, members_per_node=[1], node=0, local_rank=0, hosts=["127.0.0.1"]) as group:
    print("python:", group, group.all_gather(b"x"), m.library_version())' | tee "$work/python"
grep -q 'rank=0, size=1' "$work/python"

version=$("$work/prefix/bin/muster" --version)
test "$("$work/prefix/bin/muster-bench" --version)" = "muster-bench ${version#muster }"
test "$("$work/prefix/libexec/muster/muster-rendezvous" --version)" = "muster-rendezvous ${version#muster }"
"$work/prefix/bin/muster" --standalone --check=off --nproc-per-node=2 -- true
echo "install_test: passed"
