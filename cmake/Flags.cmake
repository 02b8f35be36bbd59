# SPDX-License-Identifier: Apache-2.0
# How everything is compiled. NDEBUG is never defined: assertions stay on in a release.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug, RelWithDebInfo" FORCE)
endif()
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")
set(CMAKE_C_FLAGS_MINSIZEREL "-Os -g")
set(CMAKE_C_FLAGS_DEBUG "-O0 -g3")

# What a user's program is expected to compile with, too.
set(BECK_USER_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion)

set(BECK_SANITIZE_FLAGS "")
if(BECK_SANITIZE)
  set(BECK_SANITIZE_FLAGS -fsanitize=${BECK_SANITIZE} -fno-sanitize-recover=all
      -fno-omit-frame-pointer)
endif()
if(BECK_FUZZ)
  if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "BECK_FUZZ needs clang: configure with -DCMAKE_C_COMPILER=clang")
  endif()
  list(APPEND BECK_SANITIZE_FLAGS -fsanitize=fuzzer-no-link)
endif()
if(BECK_COVERAGE)
  list(APPEND BECK_SANITIZE_FLAGS --coverage)
endif()
add_compile_options(${BECK_SANITIZE_FLAGS})
add_link_options(${BECK_SANITIZE_FLAGS})

# For the rooms, their tests and the fuzz targets.
add_library(beck_flags INTERFACE)
target_compile_options(beck_flags INTERFACE ${BECK_USER_WARNINGS} -Wmissing-prototypes
                       -fvisibility=hidden $<$<BOOL:${BECK_WERROR}>:-Werror>)
target_include_directories(beck_flags INTERFACE "${CMAKE_CURRENT_SOURCE_DIR}/src"
                           "${CMAKE_CURRENT_SOURCE_DIR}/include")

# For examples: what a user sees, nothing else.
add_library(beck_user_flags INTERFACE)
target_compile_options(beck_user_flags INTERFACE ${BECK_USER_WARNINGS}
                       $<$<BOOL:${BECK_WERROR}>:-Werror>)
target_include_directories(beck_user_flags INTERFACE "${CMAKE_CURRENT_SOURCE_DIR}/include")
