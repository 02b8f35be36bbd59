#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# dependencies.sh run|build|test|fuzz: installs the Debian or Ubuntu packages that this goal needs
# and this machine lacks, and says which and why. As root, or by sudo; without either it prints the
# command to give and fails. On other systems it names what is missing.
set -eu

goal=${1:-build}
missing=
runtime=

installed() {
    dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q ' installed$'
}

# need PACKAGE REASON CHECK: a check that succeeds makes the package unnecessary, whatever its name.
need() {
    if ! installed "$1" && ! sh -c "$3" >/dev/null 2>&1; then
        echo "missing: $1 ($2)"
        missing="$missing $1"
    fi
}

header() {
    echo "test -e /usr/include/$1 || test -e /usr/local/include/$1"
}

# clang finds its sanitizers in a package that carries its version in the name.
need_runtime() {
    if command -v clang >/dev/null; then
        found=$(clang -print-file-name="libclang_rt.fuzzer-$(uname -m).a")
        test -e "$found" && return 0
        found=$(clang -print-resource-dir)/lib/linux/libclang_rt.fuzzer-$(uname -m).a
        test -e "$found" && return 0
    fi
    echo "missing: the sanitizer runtime of clang (fuzz targets)"
    runtime=yes
}

# Known only when clang is installed, or apt can tell which version it would be.
runtime_package() {
    if command -v clang >/dev/null; then
        version=$(clang -dumpversion | cut -d. -f1)
    else
        version=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' |
            head -n 1)
    fi
    for name in "libclang-rt-$version-dev" libclang-rt-dev "libclang-common-$version-dev"; do
        if apt-cache show "$name" >/dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
    echo "libclang-rt-$version-dev"
}

need cmake "configures the build" "command -v cmake"
need ninja-build "runs the build" "command -v ninja"
need gcc "compiles" "command -v gcc"
need libc6-dev "headers of the C library" "$(header stdlib.h)"
need pkg-config "finds libraries" "command -v pkg-config"
need liblz4-dev "compresses encoded blocks" "pkg-config --exists liblz4"
need libxxhash-dev "hashes keys" "$(header xxhash.h)"
if [ "$goal" != run ]; then
    need libjson-c-dev "reads conformance vectors in the beck command" "pkg-config --exists json-c"
fi
if [ "$goal" = test ] || [ "$goal" = fuzz ]; then
    need libcmocka-dev "unit tests" "pkg-config --exists cmocka"
    need python3 "the test of the source's shape" "command -v python3"
    need clang "second compiler in tests, fuzz targets" "command -v clang"
    need_runtime
fi

if [ -z "$missing$runtime" ]; then
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "This system has no apt-get: install the packages above under their names here, then retry." >&2
    exit 1
fi

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    as_root=sudo
else
    [ -z "$runtime" ] || missing="$missing $(runtime_package)"
    echo "Neither root nor sudo here. Have an administrator run:" >&2
    echo "    apt-get install -y --no-install-recommends$missing" >&2
    exit 1
fi

# A bare machine has no package lists yet.
if ! apt-cache show ninja-build >/dev/null 2>&1; then
    $as_root apt-get update -q
fi
[ -z "$runtime" ] || missing="$missing $(runtime_package)"

install_packages() {
    # shellcheck disable=SC2086 # a list of words
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends $missing
}

echo "installing:$missing"
if ! install_packages; then
    echo "Once more with new package lists."
    $as_root apt-get update -q
    install_packages
fi
