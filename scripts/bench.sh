#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every benchmark program of a build folder, one after the other.
set -eu
build=${1:?usage: scripts/bench.sh BUILD_FOLDER}
found=no
for program in "$build"/bench/*; do
  if [ ! -f "$program" ] || [ ! -x "$program" ]; then continue; fi
  found=yes
  printf '\n== %s\n' "$(basename "$program")"
  "$program"
done
[ "$found" = yes ] || { echo "bench: no benchmark was built in $build/bench" >&2; exit 1; }
