#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every [eq:tag] that the code cites stands at the end of a line of docs/math.md, which defines it,
# and is defined once. usage: math_tags.sh PROJECT_ROOT
set -eu
cd "${1:?}"
[ -f docs/math.md ] || { echo "docs/math.md is missing"; exit 1; }

find include src kernels tests bench \
  \( -name '*.hpp' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' \) | sort |
  xargs awk '
    FILENAME == "docs/math.md" {
      if (match($0, /\[eq:[A-Za-z0-9_-]+\][ \t]*$/)) {
        tag = substr($0, RSTART)
        sub(/[ \t]*$/, "", tag)
        if (tag in defined) {
          printf "docs/math.md:%d: %s is defined on line %d already\n", FNR, tag, defined[tag]
          bad = 1
        }
        defined[tag] = FNR
      }
      next
    }
    {
      for (rest = $0; match(rest, /\[eq:[^]]*\]/); rest = substr(rest, RSTART + RLENGTH)) {
        ++cited
        tag = substr(rest, RSTART, RLENGTH)
        if (!(tag in defined)) {
          printf "%s:%d: %s is not defined in docs/math.md\n", FILENAME, FNR, tag
          bad = 1
        }
      }
    }
    END {
      if (cited == 0) { print "no citation found"; exit 1 }
      exit bad
    }' docs/math.md
