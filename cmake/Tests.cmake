# SPDX-License-Identifier: Apache-2.0
# Unit tests (x_test.c beside x.c), tests of the whole (tests/*_test.c, tests/api/*.c), and fuzz
# targets (x_fuzz.c), all found by name. A unit test links only the rooms that its room opens.
if(NOT BECK_TESTS OR NOT BUILD_TESTING)
  return()
endif()
if(NOT CMOCKA_FOUND)
  message(STATUS "cmocka is missing: tests are not built (install libcmocka-dev)")
  return()
endif()

set(BECK_TEST_SECONDS 300)
add_custom_target(fuzz-targets)

# beck_program(TARGET NAME SOURCE LIBRARY...): a program below tests/, and its entry in CTest.
function(beck_program target name source)
  add_executable(${target} ${source})
  target_link_libraries(${target} PRIVATE beck_flags ${ARGN})
  target_include_directories(${target} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
  target_compile_definitions(${target} PRIVATE BECK_SOURCE_DIR="${CMAKE_CURRENT_SOURCE_DIR}")
  get_filename_component(folder ${name} DIRECTORY)
  get_filename_component(file ${source} NAME_WE)
  set_target_properties(${target} PROPERTIES
                        OUTPUT_NAME ${file} RUNTIME_OUTPUT_DIRECTORY tests/${folder})
endfunction()

function(beck_register name)
  add_test(NAME ${name} COMMAND ${ARGN})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${BECK_TEST_SECONDS} ENVIRONMENT
    "ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1;UBSAN_OPTIONS=print_stacktrace=1;TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1")
endfunction()

# What only make test-long runs.
function(beck_long name)
  add_test(NAME long/${name} CONFIGURATIONS Long COMMAND ${ARGN})
  set_tests_properties(long/${name} PROPERTIES TIMEOUT 20000)
endfunction()

# src/engine/local/pool_test.c -> engine/local/pool
function(beck_test_name result source)
  string(REGEX REPLACE "^(src|tests)/" "" name ${source})
  string(REGEX REPLACE "(_test)?\\.c$" "" name ${name})
  set(${result} ${name} PARENT_SCOPE)
endfunction()

function(beck_room_libraries result room)
  set(libraries "")
  foreach(each ${room} ${ROOM_${room}_NEEDS})
    list(APPEND libraries room_${each}_archive)
  endforeach()
  # cli and connectors use Beck by its public headers, like any user; so what opens connectors needs
  # what they need.
  if(room STREQUAL "cli")
    list(APPEND libraries beck_static PkgConfig::JSONC)
  elseif(room STREQUAL "connectors" OR "connectors" IN_LIST ROOM_${room}_NEEDS)
    set(libraries beck_static)
  endif()
  set(${result} ${libraries} PARENT_SCOPE)
endfunction()

function(beck_fuzz_target name source libraries)
  string(REPLACE "/" "-" target "fuzz-${name}")
  set(corpus "${CMAKE_CURRENT_SOURCE_DIR}/tests/corpus/${name}")
  if(BECK_FUZZ)
    beck_program(${target} fuzz/${name} ${source} ${libraries})
    target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    beck_register(fuzz/${name} ${target} -runs=2000)
    add_dependencies(fuzz-targets ${target})
  else()
    beck_program(${target} fuzz/${name} ${source} ${libraries})
    target_sources(${target} PRIVATE tools/fuzz_main.c)
    beck_register(fuzz/${name} ${target} ${corpus})
  endif()
endfunction()

foreach(room IN LISTS BECK_ROOMS)
  set(missing ${room} ${ROOM_${room}_NEEDS})
  list(FILTER missing INCLUDE REGEX "^(${BECK_MISSING_PATTERN})$")
  if(missing OR (room STREQUAL "cli" AND NOT TARGET beck) OR
     ((room STREQUAL "connectors" OR "connectors" IN_LIST ROOM_${room}_NEEDS) AND
      NOT TARGET beck_static))
    continue()
  endif()
  beck_room_libraries(libraries ${room})
  foreach(source IN LISTS ROOM_${room}_TESTS)
    beck_test_name(name ${source})
    string(REPLACE "/" "-" target "test-${name}")
    beck_program(${target} ${name} ${source} ${libraries} PkgConfig::CMOCKA)
    beck_register(${name} ${target})
  endforeach()
  foreach(source IN LISTS ROOM_${room}_FUZZ)
    string(REGEX REPLACE "^src/(.*)_fuzz\\.c$" "\\1" name ${source})
    beck_fuzz_target(${name} ${source} "${libraries}")
  endforeach()
endforeach()

# The shape of the source. Symbols are looked at in plain builds: sanitizers add calls of their own.
find_package(Python3 COMPONENTS Interpreter)
if(Python3_FOUND)
  set(symbols --build "${CMAKE_CURRENT_BINARY_DIR}")
  if(BECK_SANITIZE_FLAGS)
    set(symbols "")
  endif()
  beck_register(tidy ${Python3_EXECUTABLE} "${CMAKE_CURRENT_SOURCE_DIR}/tests/tidy" ${symbols})
  beck_register(tidy_test ${Python3_EXECUTABLE} "${CMAKE_CURRENT_SOURCE_DIR}/tests/tidy_test.py")
else()
  message(STATUS "python3 is missing: the test tidy is not run")
endif()

if(NOT TARGET beck_static)
  return()
endif()

file(GLOB BECK_TEST_FILES CONFIGURE_DEPENDS RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}"
     "tests/*_test.c" "tests/api/*.c")
foreach(source IN LISTS BECK_TEST_FILES)
  beck_test_name(name ${source})
  string(REPLACE "/" "-" target "test-tests-${name}")
  beck_program(${target} whole/${name} ${source} beck_static beck_needs PkgConfig::CMOCKA)
  beck_register(whole/${name} ${target})
endforeach()

beck_long(simulation test-tests-streams_simulation 1 100)

# The conformance vectors that pass; the list may only grow.
if(TARGET beck)
  file(GLOB BECK_VECTORS CONFIGURE_DEPENDS "tests/conformance/*.json")
  set(passing "${CMAKE_CURRENT_SOURCE_DIR}/tests/conformance/passing.txt")
  function(beck_conform name)
    beck_register(conform/${name} beck conform --only ${passing} ${ARGN} ${BECK_VECTORS})
  endfunction()
  beck_conform(local-1 --master local[1])
  beck_conform(local-2 --master local[2])
  beck_conform(local-4 --master local[4])
  beck_conform(isolate --master local[2] --isolate)
  beck_conform(encode --master local[2] --conf engine.encode=all)
  beck_conform(kernels --master local[2] --kernels)
  beck_conform(persist --master local[2] --persist --conf engine.storage_bytes=1)
  # Each seed picks how they run and what fails meanwhile.
  if(BECK_SANITIZE_FLAGS)
    beck_conform(faults --seed 1..5)
    set_tests_properties(conform/faults PROPERTIES TIMEOUT 1200)
  else()
    beck_conform(faults-1 --seed 1..25)
    beck_conform(faults-2 --seed 26..50)
    set_tests_properties(conform/faults-1 conform/faults-2 PROPERTIES TIMEOUT 1200)
  endif()
  beck_long(conform/faults beck conform --only ${passing} --seed 1..1000 ${BECK_VECTORS})
endif()

# The example connectors: what they print is known. When they do so is the clock's affair, so the
# words are all that is looked at.
function(beck_example name pattern)
  beck_register(examples/${name} example_custom_${name} ${ARGN})
  set_tests_properties(examples/${name} PROPERTIES PASS_REGULAR_EXPRESSION ${pattern}
                       FAIL_REGULAR_EXPRESSION "beck: error|ERROR: |runtime error")
endfunction()
if(TARGET example_custom_source)
  beck_example(source "10000 rows in 10 partitions\nsum of squares: 333283335000")
  beck_example(sink "5 words of 21 bytes" --isolate)
  # Fifteen readings are one poll, thus one block and one batch, however slow the machine.
  beck_example(receiver "\\(attic,20.5\\)\n\\(cellar,21.5\\)\n\\(garden,22.5\\)" 15)
endif()

# Installed, and used like by a stranger. Sanitized libraries would need the same flags outside.
if(TARGET beck AND NOT BECK_SANITIZE_FLAGS)
  beck_register(install "${CMAKE_CURRENT_SOURCE_DIR}/tests/install_test.sh"
                "${CMAKE_CURRENT_BINARY_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}")
endif()
