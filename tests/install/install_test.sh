#!/usr/bin/env bash
# The installed library, used from outside the build tree: by find_package and by pkg-config.
# usage: install_test.sh BUILD_DIR
set -euo pipefail
build=$(readlink -f "$1")
here=$(dirname "$(readlink -f "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" >"$work/install.log" || { cat "$work/install.log"; exit 1; }
flags=$(sed -n 's/^MUSTER_SANITIZE:[A-Z]*=\(.\+\)$/-fsanitize=\1/p' "$build/CMakeCache.txt")

cmake -G Ninja -S "$here/consumer" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" \
  -DCMAKE_CXX_FLAGS="$flags" >"$work/configure.log" 2>&1 || { cat "$work/configure.log"; exit 1; }
cmake --build "$work/build" >"$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
export MUSTER_LIBEXEC_DIR=$work/prefix/libexec/muster # installed elsewhere than configured for
"$work/build/consumer" | tee "$work/first"
grep -qx 'rank 0 of 1' "$work/first"

export PKG_CONFIG_PATH=$(echo "$work"/prefix/lib*/pkgconfig "$work"/prefix/lib/*/pkgconfig | tr ' ' :)
g++ -std=c++20 $flags "$here/consumer/main.cc" $(pkg-config --cflags --libs muster-rendezvous) \
  -o "$work/by-pkg-config"
"$work/by-pkg-config" | tee "$work/second"
grep -qx 'rank 0 of 1' "$work/second"

"$work/prefix/bin/muster" --version
"$work/prefix/bin/muster" --standalone --check=off --nproc-per-node=2 -- true
echo "install_test: passed"
