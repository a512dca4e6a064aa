#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything that only a machine with a GPU can show, in one call. Logs go to one folder.
#
#   scripts/gpu_check.sh [OUT]               build preset cuda here, run the gpu tests with skips as
#                                            failures, compute-sanitizer, the GPU benchmarks
#   scripts/gpu_check.sh pack FOLDER         on a machine without a GPU: put the programs of
#                                            build/cuda and the libraries they need into FOLDER
#   scripts/gpu_check.sh run FOLDER [OUT]    on a GPU machine with a driver and the CUDA toolkit:
#                                            the same checks with such a folder
#
# OUT defaults to out/gpu. Exit status: 0 when every step passed; steps after a failure still run.
# SANITIZE_FILTER, BENCH_FILTER: which tests and benchmarks (defaults below).
# shellcheck disable=SC2317  # functions are called through step
set -uo pipefail

limit_mib=64
cuda="${CUDA_HOME:-/usr/local/cuda}"

die() { echo "gpu_check: $*" >&2; exit 2; }

programs() {  # of a build folder
  find "$1/tests" -maxdepth 1 -type f -name 'relulift_*_tests' -executable
  find "$1/bench" -maxdepth 1 -type f -executable \( -name backend_cuda_benchmark -o -name program_scale \)
  find "$1" -maxdepth 1 -type f -name relulift -executable
}

# Not packed: the toolkit's libraries (hundreds of MiB, and the target has them), the driver, and the
# system's own, where an older copy in front would break the target's tools.
left_out='/(libcuda|libnvidia|libcublas|libcublasLt|libcusolver|libcusparse|libnvJitLink|libcudart|ld-linux-x86-64|libc|libm|libpthread|libdl|librt|libgcc_s|libstdc\+\+)[.-]'

pack() {
  local to="$1" build=build/cuda file library script=scripts/gpu_check.sh
  [ -d "$build/tests" ] || die "no $build: cmake --preset cuda && cmake --build --preset cuda first"
  rm -rf "$to" && mkdir -p "$to/bin" "$to/lib" || exit 2
  while read -r file; do
    install -m 755 "$file" "$to/bin/" && strip "$to/bin/$(basename "$file")"
    while read -r library; do
      [[ "$library" =~ $left_out ]] && continue
      install -m 644 "$library" "$to/lib/" && strip --strip-unneeded "$to/lib/$(basename "$library")"
    done < <(LD_LIBRARY_PATH="$cuda/lib64" ldd "$file" | awk '$3 ~ /^\// {print $3}')
  done < <(programs "$build")
  install -m 755 "$script" "$to/"
  if [ -d data ]; then cp -r data "$to/"; fi
  git describe --always --dirty >"$to/commit" 2>/dev/null || echo unknown >"$to/commit"
  local mib; mib=$(du -sm "$to" | cut -f1)
  local programs=("$to"/bin/*) libraries=("$to"/lib/*)
  echo "packed ${#programs[@]} programs and ${#libraries[@]} libraries: $mib MiB in $to"
  [ "$mib" -le "$limit_mib" ] || die "more than $limit_mib MiB"
}

failed=0
step() {  # name command...: log to OUT/name.log
  local name="$1" start=$SECONDS; shift
  echo "== $name: $*"
  if "$@" >"$out/$name.log" 2>&1; then
    echo "   passed, $((SECONDS - start)) s"
  else
    echo "   FAILED ($?), $((SECONDS - start)) s; end of $out/$name.log:"; tail -n 25 "$out/$name.log"
    failed=1
  fi
}

# A test program that ran, failed nothing and skipped nothing, and ran at least one test.
tests_of() {
  local program="$1"
  RELULIFT_REQUIRE_GPU=1 "$program" --gtest_filter='*Cuda*' --gtest_brief=1 >"$out/tests.tmp" 2>&1
  local status=$?
  cat "$out/tests.tmp"
  if grep -q 'SKIPPED' "$out/tests.tmp"; then echo "a skip is a failure here"; status=1; fi
  return "$status"
}

check_with() {  # bin folder
  local bin="$1" program filter
  filter="${SANITIZE_FILTER:-*Cuda*-*LargeProducts*:*Trainer*:*Polishing*:*OutOfMemory*:*Workspace*:*Slow*}"
  { cat "$bin/../commit" 2>/dev/null || git describe --always --dirty; nvidia-smi; } >"$out/machine.log" 2>&1
  command -v nvcc >/dev/null && nvcc --version >>"$out/machine.log"
  for program in "$bin"/relulift_*_tests; do
    "$program" --gtest_list_tests --gtest_filter='*Cuda*' 2>/dev/null | grep -q '^  ' || continue
    step "test_$(basename "$program")" tests_of "$program"
  done
  rm -f "$out/tests.tmp"
  local sanitizer; sanitizer=$(command -v compute-sanitizer || echo "$cuda/bin/compute-sanitizer")
  for tool in memcheck racecheck; do
    RELULIFT_REQUIRE_GPU=1 step "$tool" "$sanitizer" --tool "$tool" --error-exitcode 1 \
      "$bin/relulift_parity_tests" --gtest_filter="$filter" --gtest_brief=1
  done
  # Whole solves: every engine behind the program. 120 rows: at most a minute each.
  for engine in dense low-rank interior none; do
    step "train_$engine" "$bin/relulift" train "$RELULIFT_DATA/iris_train.csv" --target species \
      --test "$RELULIFT_DATA/iris_test.csv" --weight-decay 0.1 --engine "$engine" --device cuda \
      --time-limit 60 --out "$out/iris_$engine"
    grep -q '"device": "cuda' "$out/iris_$engine/result.json" 2>/dev/null ||
      { echo "   $engine: no result of a CUDA device"; failed=1; }
  done
  for solver in interior gradient admm; do
    step "gated_$solver" "$bin/relulift" train "$RELULIFT_DATA/iris_train.csv" --target species \
      --weight-decay 0.1 --method gated --outputs one-vs-all --gates 100 --solver "$solver" \
      --device cuda --time-limit 60 --out "$out/gated_$solver"
    grep -q '"device": "cuda' "$out/gated_$solver/result.json" 2>/dev/null ||
      { echo "   $solver: no result of a CUDA device"; failed=1; }
  done
  step program_scale "$bin/program_scale" 60000 784 1000 200 single
  tail -n 2 "$out/program_scale.log"
  step benchmark "$bin/backend_cuda_benchmark" --benchmark_filter="${BENCH_FILTER:-.}" \
    --benchmark_out="$out/backend_cuda.json" --benchmark_out_format=json
  grep -E '^cuda/' "$out/benchmark.log" | sed -E 's,/min_time:[^ ]*,,' | cut -c1-110
  if grep -q 'wrong' "$out/benchmark.log"; then echo "   a benchmark's result is wrong"; failed=1; fi
}

case "${1:-}" in
  pack)
    [ $# -eq 2 ] || die "pack FOLDER"
    [ -f scripts/gpu_check.sh ] || die "call it from the root of the project"
    pack "$2"
    exit
    ;;
  run)
    [ $# -ge 2 ] || die "run FOLDER [OUT]"
    [ -d "$2/bin" ] || die "$2 holds no programs: make it with 'pack'"
    folder=$(cd "$2" && pwd); out="${3:-out/gpu}"
    mkdir -p "$out" && out=$(cd "$out" && pwd)
    # First the toolkit's libraries: a packed one of the same name must not hide them.
    export LD_LIBRARY_PATH="$cuda/lib64:$folder/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    export OPENBLAS_NUM_THREADS="${OPENBLAS_NUM_THREADS:-4}"
    export RELULIFT_DATA="$folder/data"
    check_with "$folder/bin"
    ;;
  *)
    [ -f scripts/gpu_check.sh ] || die "call it from the root of the project"
    out="${1:-out/gpu}"
    mkdir -p "$out" && out=$(cd "$out" && pwd)
    step build bash -c 'cmake --preset cuda -DCMAKE_CUDA_ARCHITECTURES=native && cmake --build --preset cuda'
    if [ "$failed" -eq 0 ]; then
      mkdir -p build/cuda/gpu_bin
      while read -r program; do cp "$program" build/cuda/gpu_bin/; done < <(programs build/cuda)
      export RELULIFT_DATA="$PWD/data"
      step ctest ctest --preset gpu
      check_with build/cuda/gpu_bin
    fi
    ;;
esac
[ "$failed" -eq 0 ] && echo "gpu_check: all passed" || echo "gpu_check: FAILED, see $out"
exit "$failed"
