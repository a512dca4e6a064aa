#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The example of README.md: trains on bundled data, predicts, certifies the network it trained,
# verifies the certificate, and makes a page of the run.
# A test compares the lines that begin with `run` with README.md.
set -eu
cd "$(dirname "$0")/.."
program=$(cd "$(dirname "${1:?usage: scripts/demo.sh PROGRAM}")" && pwd)/$(basename "$1")

run() {
  printf '\n$ %s\n' "$*"
  shift
  "$program" "$@"
}

run relulift train data/iris_train.csv --target species --weight-decay 0.1 --test data/iris_test.csv --out out/iris
run relulift predict out/iris/model.safetensors data/iris_test.csv --out out/iris_predictions.csv
run relulift certify out/iris/model.safetensors data/iris_train.csv --target species --weight-decay 0.1 --json out/iris_certificate.json
run relulift verify out/iris/certificate.safetensors data/iris_train.csv out/iris/model.safetensors
run relulift report out/iris
