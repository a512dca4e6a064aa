#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints the table of whole solves: on the data sets beside the checkout if they are there, else on
# the bundled ones. Further arguments go to the program.
set -eu
build=${1:?usage: scripts/bench.sh BUILD_FOLDER [ARGUMENTS]}
shift
if [ -d ../shared/data ]; then
  "$build/bench/solve_table" ../shared/data random_00 spiral iris ionosphere bank_notes --limit 300 "$@"
else
  "$build/bench/solve_table" data random_00 random_01 random_02 random_03 spiral "$@"
fi
