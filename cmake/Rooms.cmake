# SPDX-License-Identifier: Apache-2.0
# One OBJECT library per room, and libbeck, static and shared, from all of them but cli. A room of
# LAYERS without sources is left out; what needs it is then not built.
set(BECK_OBJECTS "")
set(BECK_MISSING_ROOMS "")

foreach(room IN LISTS BECK_ROOMS)
  file(GLOB_RECURSE ROOM_${room}_SOURCES CONFIGURE_DEPENDS
       RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" "src/${room}/*.c")
  set(ROOM_${room}_TESTS ${ROOM_${room}_SOURCES})
  set(ROOM_${room}_FUZZ ${ROOM_${room}_SOURCES})
  list(FILTER ROOM_${room}_TESTS INCLUDE REGEX "_test\\.c$")
  list(FILTER ROOM_${room}_FUZZ INCLUDE REGEX "_fuzz\\.c$")
  list(FILTER ROOM_${room}_SOURCES EXCLUDE REGEX "_(test|fuzz)\\.c$|^src/cli/main\\.c$")
  if(NOT ROOM_${room}_SOURCES)
    list(APPEND BECK_MISSING_ROOMS ${room})
    continue()
  endif()
  add_library(room_${room} OBJECT ${ROOM_${room}_SOURCES})
  target_link_libraries(room_${room} PRIVATE beck_flags beck_needs)
  # Unit tests link archives, so that they pull in what they reach; tidy checks the rest by nm.
  add_library(room_${room}_archive STATIC EXCLUDE_FROM_ALL $<TARGET_OBJECTS:room_${room}>)
  target_link_libraries(room_${room}_archive PUBLIC beck_needs)
  set_target_properties(room_${room}_archive PROPERTIES
                        OUTPUT_NAME room_${room} ARCHIVE_OUTPUT_DIRECTORY rooms)
  if(NOT room STREQUAL "cli")
    list(APPEND BECK_OBJECTS $<TARGET_OBJECTS:room_${room}>)
  endif()
endforeach()

# For a match of any of them; "-" is no room.
list(JOIN BECK_MISSING_ROOMS "|" BECK_MISSING_PATTERN)
if(NOT BECK_MISSING_PATTERN)
  set(BECK_MISSING_PATTERN "-")
endif()

set(BECK_MISSING_LIBRARY_ROOMS ${BECK_MISSING_ROOMS})
list(REMOVE_ITEM BECK_MISSING_LIBRARY_ROOMS cli)
if(BECK_MISSING_LIBRARY_ROOMS)
  message(STATUS "Rooms without sources: ${BECK_MISSING_LIBRARY_ROOMS}: "
                 "no libbeck, no programs, no tests that need them")
  return()
endif()

add_library(beck_static STATIC ${BECK_OBJECTS})
add_library(beck_shared SHARED ${BECK_OBJECTS})
target_link_libraries(beck_static INTERFACE $<BUILD_INTERFACE:beck_needs>
                      $<INSTALL_INTERFACE:beck::needs>)
target_link_libraries(beck_shared PRIVATE $<BUILD_INTERFACE:beck_needs>)
foreach(library beck_static beck_shared)
  target_include_directories(${library} INTERFACE
                             $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
                             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()
set_target_properties(beck_static PROPERTIES OUTPUT_NAME beck EXPORT_NAME static)
set_target_properties(beck_shared PROPERTIES OUTPUT_NAME beck EXPORT_NAME shared
                      VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
if(NOT BECK_SANITIZE_FLAGS)
  target_link_options(beck_shared PRIVATE -Wl,--no-undefined)
endif()
