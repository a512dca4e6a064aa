# SPDX-License-Identifier: Apache-2.0
# One-line calls of the presets in CMakePresets.json. `make help` lists the targets.
PRESET ?= $(if $(shell command -v nvcc),cuda,release)
JOBS ?= $(shell nproc)

.PHONY: help setup build demo test bench format clean

help:
	@echo "make setup   install what is missing (Debian packages)"
	@echo "make build   library and program; with CUDA when nvcc is on the PATH (PRESET=$(PRESET))"
	@echo "make demo    train, predict and certify on bundled data"
	@echo "make test    build for the CPU and run every test that needs no GPU"
	@echo "make bench   print the table of data sets (times, objectives, bounds)"
	@echo "make format  format all sources"
	@echo "make clean   remove build/ and out/"

setup:
	@scripts/setup

build: setup
	cmake --preset $(PRESET)
	cmake --build --preset $(PRESET) --parallel $(JOBS) --target relulift_cli

demo: build
	scripts/demo.sh build/$(PRESET)/relulift

test: setup
	cmake --preset release
	cmake --build --preset release --parallel $(JOBS)
	ctest --test-dir build/release --label-regex cpu --parallel $(JOBS) --output-on-failure

bench: setup
	cmake --preset release
	cmake --build --preset release --parallel $(JOBS)
	scripts/bench.sh build/release

format:
	scripts/format.sh --in-place

clean:
	cmake -E rm -rf build out
