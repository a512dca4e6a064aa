#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints the table of whole solves on the data sets in the folder $RELULIFT_BENCH_DATA; without it,
# on those in ../shared/data if they are there, else on the bundled ones. Further arguments go to
# the program.
set -eu
build=${1:?usage: scripts/bench.sh BUILD_FOLDER [ARGUMENTS]}
shift
data=${RELULIFT_BENCH_DATA:-}
if [ -z "$data" ] && [ -d ../shared/data ]; then data=../shared/data; fi
if [ -n "$data" ]; then
  "$build/bench/solve_table" "$data" random_00 spiral iris ionosphere bank_notes --limit 300 "$@"
else
  "$build/bench/solve_table" data random_00 random_01 random_02 random_03 spiral "$@"
fi
