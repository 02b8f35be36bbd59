#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# install_test.sh BUILD SOURCE: installs a build into a new folder and builds the programs of the
# README against it, the way a user does: through pkg-config, shared and static, PIE and not, by
# gcc and clang, with the warnings that must not come from our macros; and once through CMake.
set -eu

build=$1
source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
warnings="-std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror"

cmake --install "$build" --prefix "$work/usr" >/dev/null
PKG_CONFIG_PATH=$(find "$work/usr" -name pkgconfig)
export PKG_CONFIG_PATH
libdir=$(dirname "$PKG_CONFIG_PATH")
LD_LIBRARY_PATH=$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH

# Each C block of the README with a main is a program.
awk -v work="$work" '/^```c$/ { n++; inside = 1; next } /^```$/ { inside = 0 }
    inside { print > (work "/program" n ".c") }' "$source/README.md"
for program in "$work"/program*.c; do
    grep -q 'int main(' "$program" || rm "$program"
done
count=$(find "$work" -name 'program*.c' | wc -l)
[ "$count" -ge 3 ] || { echo "only $count programs in README.md"; exit 1; }

# shellcheck disable=SC2046,SC2086 # lists of words
for program in "$work"/program*.c; do
    for cc in gcc clang; do
        command -v $cc >/dev/null || { echo "no $cc here"; continue; }
        for pie in "-fPIE -pie" "-fno-PIE -no-pie"; do
            for opt in -O0 -O2; do
                echo "$cc $opt $pie $(basename "$program")"
                $cc $warnings $opt $pie "$program" $(pkg-config --cflags --libs beck) -o "$program.shared"
                $cc $warnings $opt $pie "$program" $(pkg-config --cflags beck) \
                    $(pkg-config --static --libs beck | sed 's/-lbeck/-l:libbeck.a/') -o "$program.static"
                printf 'ERROR one\nfine\n' >"$work/log.txt"
                for kind in shared static; do
                    (cd "$work" && "$program.$kind" --describe >"$work/out" 2>&1) || {
                        cat "$work/out"
                        exit 1
                    }
                done
            done
        done
    done
done
ldd "$work/program1.c.static" | grep -q libbeck && { echo "static is not static"; exit 1; }
"$work/program1.c.static" --describe | grep -q 'reduce_by_key'

# C++ includes the same headers.
for header in "$work"/usr/include/beck/*.h; do
    echo "#include <beck/$(basename "$header")>" >>"$work/all.cc"
done
if command -v clang++ >/dev/null; then
    clang++ -std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fsyntax-only \
        $(pkg-config --cflags beck) "$work/all.cc"
fi

mkdir "$work/cmake"
cp "$work/program1.c" "$work/cmake/program.c"
cat >"$work/cmake/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.22)
project(program C)
find_package(beck REQUIRED)
add_executable(with_shared program.c)
target_link_libraries(with_shared beck::shared)
add_executable(with_static program.c)
target_link_libraries(with_static beck::static)
END
cmake -S "$work/cmake" -B "$work/cmake/build" -DCMAKE_PREFIX_PATH="$work/usr" >"$work/out" 2>&1 ||
    { cat "$work/out"; exit 1; }
cmake --build "$work/cmake/build" >"$work/out" 2>&1 || { cat "$work/out"; exit 1; }
"$work/cmake/build/with_shared" --describe | grep -q 'reduce_by_key'
"$work/cmake/build/with_static" --describe | grep -q 'reduce_by_key'
"$work/usr/bin/beck" version
