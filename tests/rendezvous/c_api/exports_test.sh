#!/usr/bin/env bash
# What the shared library exports is what `exports` lists, and what the header declares.
# usage: exports_test.sh LIBRARY HEADER
set -euo pipefail
list=$(dirname "$(readlink -f "$0")")/exports

exported=$(nm -D --defined-only --with-symbol-versions "$1" | awk '$2 != "A" {print $3}' | LC_ALL=C sort)
diff <(LC_ALL=C sort "$list") <(echo "$exported") || {
  echo "the library exports other symbols than tests/rendezvous/c_api/exports lists"
  exit 1
}
declared=$(grep -A1 '^MUSTER_API' "$2" | grep -o 'muster_[a-z_]*(' | tr -d '(' | LC_ALL=C sort)
diff <(sed 's/@.*//' "$list" | LC_ALL=C sort) <(echo "$declared") || {
  echo "the header declares other functions than are exported"
  exit 1
}
soname=$(readelf -d "$1" | sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
[ "$soname" = libmuster_rendezvous.so.0 ] || { echo "the soname is '$soname'"; exit 1; }
echo "exports_test: passed"
