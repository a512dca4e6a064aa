#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs/style.md, what a script can see: licence line, length, and a library that neither prints nor
# exits. usage: style.sh PROJECT_ROOT
set -eu
cd "${1:?}"

find include src kernels tests bench \
  \( -name '*.hpp' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' \) | sort |
  xargs awk '
    function fail(reason) {
      printf "%s:%d: %s\n", FILENAME, FNR, reason
      bad = 1
    }
    FNR == 1 {
      ++files
      library = FILENAME ~ /^(include|src|kernels)\// && FILENAME !~ /^src\/tools\//
      if ($0 !~ /^\/\/ SPDX-License-Identifier: Apache-2\.0$/) fail("the SPDX line comes first")
    }
    FNR == 601 { fail("more than 600 lines: two ideas") }
    library {
      code = $0
      sub(/\/\/.*/, "", code)
      if (code ~ /#include <(iostream|stdio\.h|fmt\/ostream\.h)>/ ||
          code ~ /(^|[^A-Za-z0-9_])(printf|fprintf|puts|fputs|perror|fmt::print)[ ]*\(/ ||
          code ~ /std::(cout|cerr|clog)/)
        fail("the library never prints")
      if (code ~ /(^|[^A-Za-z0-9_.>])(exit|_exit|quick_exit|abort|terminate)[ ]*\(/)
        fail("the library never ends the process")
      if (code ~ /-ffast-math|pragma GCC optimize/) fail("no change of floating-point rules")
    }
    END {
      if (files == 0) { print "no sources found"; exit 1 }
      exit bad
    }'
