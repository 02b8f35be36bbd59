# SPDX-License-Identifier: Apache-2.0
#
# The short way: each target installs the packages it lacks (tools/dependencies.sh), configures,
# builds and goes. The long way is CMake: see CMakePresets.json.
#
#   make run [HOST=h PORT=p] [TEXT=file]   make conform [MASTER="local[N]"] [FILES="..."]
#   make test                              make bench [ROWS="..."]
#   make test-long                         1,000 seeds of faults, long simulations

PRESET     ?= release
BUILD       = build/$(PRESET)
MASTER     ?= local[2]
FILES      ?= $(wildcard tests/conformance/*.json)
PREFIX     ?= /usr/local
FUZZ_SECONDS ?= 10

build: dependencies-build configure
	@cmake --build $(BUILD)

help:
	@echo "make            build everything into $(BUILD) [PRESET=release|debug|asan|tsan|...]"
	@echo "make run        count the words of a live stream for ten seconds [TEXT=file]"
	@echo "                or of your own server until Ctrl-C: HOST=h PORT=p, for example"
	@echo "                nc -lk 9999 beside make run PORT=9999"
	@echo "make test       build and run all tests; ends with: N passed, N failed"
	@echo "make test-long  1,000 seeds of faults and long simulations; takes an hour or so"
	@echo "make conform    run the conformance vectors [MASTER=\"local[N]\"] [FILES=\"...\"]"
	@echo "make bench      compare with the yardsticks [ROWS=\"...\"]"
	@echo "make fuzz       run each fuzz target [FUZZ_SECONDS=10]"
	@echo "make install    build and install [PREFIX=/usr/local] [DESTDIR=...]"
	@echo "make clean      remove the folder build"

run: dependencies-run configure
	@cmake --build $(BUILD) --target example_network_word_count example_text_server
	@TEXT="$(TEXT)" exec tools/run.sh $(BUILD) $(if $(HOST)$(PORT),$(or $(HOST),localhost) \
	    $(or $(PORT),9999))

test: dependencies-test
	@tools/test.sh $(PRESET)

test-long: dependencies-test
	@tools/test.sh --long $(PRESET)

conform: dependencies-build configure
	@cmake --build $(BUILD) --target beck
	@$(BUILD)/beck conform --master "$(MASTER)" $(FILES)

bench: dependencies-build configure
	@cmake --build $(BUILD) --target bench-programs
	@bench/run.sh $(BUILD) $(ROWS)

fuzz: dependencies-fuzz
	@tools/fuzz.sh $(FUZZ_SECONDS)

install: dependencies-build
	@cmake --preset $(PRESET) -DCMAKE_INSTALL_PREFIX="$(PREFIX)" -DBECK_TESTS=OFF -B build/install \
	    > build/install.log || { cat build/install.log; exit 1; }
	@cmake --build build/install
	@cmake --install build/install
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" != 0 ] || ldconfig

clean:
	rm -rf build

configure:
	@mkdir -p build
	@cmake --preset $(PRESET) > build/configure.log || { cat build/configure.log; exit 1; }

dependencies-%:
	@mkdir -p build
	@tools/dependencies.sh $*

.PHONY: build help run test test-long conform bench fuzz install clean configure
