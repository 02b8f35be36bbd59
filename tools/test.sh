#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# test.sh [--long] PRESET...: configures, builds and tests each preset and prints, at the end and alone on a
# line, "N passed, N failed". Fails if any test failed. A build that fails counts as one failure.
# With --long only the tests that take long are run.
# Each preset's counts go to build/results/PRESET ("passed failed"); .ci/run adds them up.
set -u

cd "$(dirname "$0")/.." || exit 1
mkdir -p build/results
jobs=$(nproc 2>/dev/null || echo 2)

# New kernels spread addresses more than the thread sanitizers of older compilers can take.
fixed_addresses=
if setarch "$(uname -m)" -R true 2>/dev/null; then
    fixed_addresses="setarch $(uname -m) -R"
fi

only=
if [ "${1:-}" = --long ]; then
    only="-C Long -R ^long/"
    shift
fi

attribute() {
    sed -n "s/.*[[:space:]]$1=\"\([0-9]*\)\".*/\1/p" "$2" | head -n 1
}

run_preset() {
    preset=$1
    build=build/$preset
    report=$PWD/$build/ctest.xml
    echo "== $preset: build"
    rm -f "build/results/$preset" "$report"
    cmake --preset "$preset" >build/configure.log || { cat build/configure.log; return 1; }
    cmake --build "$build" || return 1
    echo "== $preset: tests"
    launcher=
    case $preset in tsan*) launcher=$fixed_addresses ;; esac
    # shellcheck disable=SC2086 # words of their own
    $launcher ctest --test-dir "$build" $only -j "$jobs" --output-on-failure --output-junit "$report"
    [ -e "$report" ] || return 1
    tests=$(sed -n '/<testsuite/,/>/p' "$report" | tr '\n' ' ' >"$report.head"; attribute tests "$report.head")
    passed=$(grep -c '<testcase .*status="run"' "$report")
    [ "${tests:-0}" -gt 0 ] || return 1
    echo "$passed $((tests - passed))" >"build/results/$preset"
}

all_passed=0
all_failed=0
for each in "$@"; do
    run_preset "$each" || echo "0 1" >"build/results/$each"
    read -r passed failed <"build/results/$each"
    all_passed=$((all_passed + passed))
    all_failed=$((all_failed + failed))
done
echo "$all_passed passed, $all_failed failed"
[ "$all_failed" = 0 ]
