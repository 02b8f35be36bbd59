# SPDX-License-Identifier: Apache-2.0
# Libraries that are not ours. tools/dependencies.sh names their Debian packages.
find_package(PkgConfig REQUIRED)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
pkg_check_modules(LZ4 REQUIRED IMPORTED_TARGET liblz4)

# XXH3 is compiled in from its header; nothing is linked.
include(CheckCSourceCompiles)
set(CMAKE_REQUIRED_FLAGS "-std=c11")
check_c_source_compiles("
  #define XXH_INLINE_ALL
  #include <xxhash.h>
  int main(void) { return (int)XXH3_64bits(\"\", 0); }" BECK_HAVE_XXH3)
unset(CMAKE_REQUIRED_FLAGS)
if(NOT BECK_HAVE_XXH3)
  message(FATAL_ERROR "xxhash.h with XXH3 is missing: install libxxhash-dev")
endif()

add_library(beck_needs INTERFACE)
target_link_libraries(beck_needs INTERFACE PkgConfig::LZ4 Threads::Threads m ${CMAKE_DL_LIBS})

# Without these the library is built, but not the command or the tests.
pkg_check_modules(JSONC IMPORTED_TARGET json-c)
if(BECK_TESTS)
  pkg_check_modules(CMOCKA IMPORTED_TARGET cmocka)
endif()
