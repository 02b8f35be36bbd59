#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# fuzz.sh SECONDS: runs each fuzz target with libFuzzer for that long. What it finds interesting is
# kept in build/fuzz-corpus, what fails in build/fuzz-failures.
set -eu

cd "$(dirname "$0")/.."
seconds=${1:-10}
mkdir -p build/fuzz-failures
cmake --preset fuzz >build/configure.log || { cat build/configure.log; exit 1; }
cmake --build build/fuzz --target fuzz-targets

failed=0
for target in $(find build/fuzz/tests/fuzz -type f -name '*_fuzz' | sort); do
    name=${target#build/fuzz/tests/fuzz/}
    corpus=build/fuzz-corpus/${name%_fuzz}
    seeds=tests/corpus/${name%_fuzz}
    mkdir -p "$corpus"
    [ -d "$seeds" ] || seeds=
    echo "== ${name%_fuzz}: $seconds s"
    # shellcheck disable=SC2086 # an empty word is no argument
    if ! "$target" -max_total_time="$seconds" -print_final_stats=1 -verbosity=0 \
        -artifact_prefix=build/fuzz-failures/ "$corpus" $seeds; then
        failed=$((failed + 1))
    fi
done
echo "$failed targets failed"
[ "$failed" = 0 ]
