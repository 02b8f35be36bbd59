# SPDX-License-Identifier: Apache-2.0
# The beck command, the examples, the bench.
if(NOT TARGET beck_static)
  return()
endif()

if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/src/cli/main.c")
  if(JSONC_FOUND)
    add_executable(beck src/cli/main.c)
    target_link_libraries(beck PRIVATE room_cli beck_flags beck_static PkgConfig::JSONC)
    target_link_libraries(room_cli PRIVATE PkgConfig::JSONC)
  else()
    message(STATUS "json-c is missing: the beck command is not built (install libjson-c-dev)")
    set_target_properties(room_cli PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
endif()

# An example is one file and compiles like a user's program, against the shared library.
file(GLOB BECK_EXAMPLES CONFIGURE_DEPENDS RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" "examples/*.c")
foreach(source IN LISTS BECK_EXAMPLES)
  get_filename_component(name ${source} NAME_WE)
  add_executable(example_${name} ${source})
  target_link_libraries(example_${name} PRIVATE beck_user_flags beck_shared Threads::Threads m)
  set_target_properties(example_${name} PROPERTIES
                        OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY examples)
endforeach()

# The bench looks inside the library, its yardsticks stand alone and are built for this machine.
add_custom_target(bench-programs)
file(GLOB BECK_BENCH CONFIGURE_DEPENDS RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" "bench/*.c")
foreach(source IN LISTS BECK_BENCH)
  get_filename_component(name ${source} NAME_WE)
  add_executable(bench_${name} EXCLUDE_FROM_ALL ${source})
  target_link_libraries(bench_${name} PRIVATE beck_flags beck_static beck_needs)
  set_target_properties(bench_${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY bench)
  add_dependencies(bench-programs bench_${name})
endforeach()
file(GLOB BECK_YARDSTICKS CONFIGURE_DEPENDS RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}"
     "bench/yardsticks/*.c")
foreach(source IN LISTS BECK_YARDSTICKS)
  get_filename_component(name ${source} NAME_WE)
  add_executable(yardstick_${name} EXCLUDE_FROM_ALL ${source})
  target_compile_options(yardstick_${name} PRIVATE ${BECK_USER_WARNINGS} -O3 -march=native)
  target_link_libraries(yardstick_${name} PRIVATE Threads::Threads m)
  set_target_properties(yardstick_${name} PROPERTIES
                        OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY bench/yardsticks)
  add_dependencies(bench-programs yardstick_${name})
endforeach()
