#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks the format of every source in the repository; with --in-place, mends it.
set -eu
cd "$(dirname "$0")/.."

case "${1:-}" in
  "") set -- --dry-run -Werror ;;
  --in-place) set -- -i ;;
  *) echo "usage: scripts/format.sh [--in-place]" >&2; exit 2 ;;
esac
find include src kernels tests bench \
  \( -name '*.hpp' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' \) -print0 |
  sort -z | xargs -0 clang-format "$@"
