#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A test of the checks: each must fail on a small project with one planted fault, and pass without.
# usage: planted_faults.sh PROJECT_ROOT
set -eu
checks=${1:?}/tests/checks
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

mkdir -p "$root"/include/relulift "$root"/src/core "$root"/src/solvers "$root"/src/backends/cpu \
  "$root"/src/tools "$root"/kernels "$root"/tests "$root"/bench "$root"/docs "$root"/scripts
spdx='// SPDX-License-Identifier: Apache-2.0'
clean() {
  printf '%s\n#include <vector>\n' "$spdx" >"$root"/include/relulift/a.hpp
  printf '%s\n#include <relulift/a.hpp>\n// [eq:one]\n' "$spdx" >"$root"/src/core/a.hpp
  printf '%s\n#include "src/core/a.hpp"\n' "$spdx" >"$root"/src/solvers/a.cpp
  printf '%s\n#include "src/core/a.hpp"\n' "$spdx" >"$root"/src/backends/cpu/a.cpp
  printf '    x = 1     [eq:one]\n' >"$root"/docs/math.md
  printf 'run relulift info\n' >"$root"/scripts/demo.sh
  printf 'relulift info\n' >"$root"/README.md
}
expect() {  # expect RESULT CHECK DESCRIPTION
  result=pass
  sh "$checks/$2.sh" "$root" >/dev/null 2>&1 || result=fail
  [ "$result" = "$1" ] || { echo "$2 should $1: $3"; exit 1; }
  clean
}
plant() { printf '%s\n' "$2" >>"$root/$1"; }

clean
for check in include_direction math_tags style readme_example; do expect pass "$check" "clean"; done
plant src/core/a.hpp '#include "src/solvers/a.hpp"'
expect fail include_direction "core sees solvers"
plant src/backends/cpu/a.cpp '#include "src/solvers/a.hpp"'
expect fail include_direction "a backend sees a solver"
plant include/relulift/a.hpp '#include <Eigen/Core>'
expect fail include_direction "Eigen in a public header"
plant src/solvers/a.cpp '#include "a.hpp"'
expect fail include_direction "an include that does not start at the root"
plant src/solvers/a.cpp '// [eq:two]'
expect fail math_tags "a tag without definition"
plant docs/math.md '    x = 2     [eq:one]'
expect fail math_tags "a tag defined twice"
rm "$root"/docs/math.md
expect fail math_tags "no docs/math.md"
plant src/solvers/a.cpp 'void f() { std::printf("x"); }'
expect fail style "printing"
plant src/solvers/a.cpp 'void f() { std::exit(1); }'
expect fail style "ending the process"
printf '#include <vector>\n' >"$root"/src/core/a.hpp
expect fail style "no SPDX line"
awk 'BEGIN { for (k = 0; k < 601; ++k) print "//" }' >>"$root"/src/core/a.hpp
expect fail style "a long file"
printf 'relulift predict\n' >"$root"/README.md
expect fail readme_example "another command in the README"
