#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs/architecture.md, section 1: a folder includes itself and what stands to its left.
# usage: include_direction.sh PROJECT_ROOT
set -eu
cd "${1:?}"

find include src kernels -name '*.hpp' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' | sort |
  xargs awk '
    BEGIN {
      left = "include core kernels patterns presolve lift model certificate solvers api"
      count = split(left, chain, " ")
      for (k = 1; k <= count; ++k) {
        reachable = reachable " " chain[k]
        allowed[chain[k]] = reachable " "
      }
      allowed["backends"] = " include core kernels backends "
      allowed["io"] = " include core io "
      allowed["report"] = " include core report "
      allowed["verify"] = " include verify "
      allowed["tools"] = " include tools "
      allowed["api"] = allowed["api"] "backends io report verify "
    }
    function folder(path,   part) {
      split(path, part, "/")
      if (part[1] == "relulift" || part[1] == "include") return "include"
      return part[1] == "src" ? part[2] : part[1]
    }
    function fail(reason) {
      printf "%s:%d: %s: %s\n", FILENAME, FNR, reason, $0
      bad = 1
    }
    FNR == 1 {
      ++files
      from = folder(FILENAME)
      if (!(from in allowed)) fail("folder \"" from "\" has no place in the order")
    }
    /^[ \t]*#[ \t]*include/ {
      quoted = match($0, /"[^"]*"/)
      if (!quoted) match($0, /<[^>]*>/)
      path = substr($0, RSTART + 1, RLENGTH - 2)
      internal = path ~ /^(src|kernels|include|relulift)\//
      if (quoted && path !~ /^(src|kernels)\//) fail("quoted includes start at the project root")
      if (!quoted && path ~ /^(src|kernels|include)\//) fail("write it in quotes")
      if (from == "include" && (quoted || (path ~ /[\/.]/ && path !~ /^relulift\//)))
        fail("a public header shows the standard library and <relulift/...> alone")
      if (from == "kernels" && internal && path !~ /^(kernels\/|relulift\/|src\/core\/view\.hpp$)/)
        fail("kernels see src/core/view.hpp and nothing else of src")
      if (internal && index(allowed[from], " " folder(path) " ") == 0)
        fail(from " must not see " folder(path))
    }
    END {
      if (files == 0) { print "no sources found"; exit 1 }
      exit bad
    }'
