#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The commands that scripts/demo.sh runs are the ones README.md shows, in the same order.
# usage: readme_example.sh PROJECT_ROOT
set -eu
cd "${1:?}"
awk '
  FILENAME == "scripts/demo.sh" {
    if (sub(/^run /, "")) command[++count] = $0
    next
  }
  next_command < count && $0 == command[next_command + 1] { ++next_command }
  END {
    if (count == 0) { print "scripts/demo.sh runs nothing"; exit 1 }
    if (next_command < count) {
      print "README.md does not show, as a line of its own and in order: " command[next_command + 1]
      exit 1
    }
  }' scripts/demo.sh README.md
