# SPDX-License-Identifier: Apache-2.0
# make install: headers, libraries, the command, beck.pc and the CMake package.
if(NOT TARGET beck_static)
  return()
endif()
include(CMakePackageConfigHelpers)

install(DIRECTORY include/beck DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
if(TARGET beck)
  install(TARGETS beck RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(TARGETS beck_static beck_shared EXPORT beck-targets
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT beck-targets NAMESPACE beck:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/beck)
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# Paths relative to beck.pc itself, so that an installed copy may be moved.
file(RELATIVE_PATH BECK_PC_PREFIX "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig"
     "${CMAKE_INSTALL_PREFIX}")
file(RELATIVE_PATH BECK_PC_LIBDIR "${CMAKE_INSTALL_PREFIX}" "${CMAKE_INSTALL_FULL_LIBDIR}")
file(RELATIVE_PATH BECK_PC_INCLUDEDIR "${CMAKE_INSTALL_PREFIX}" "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
configure_file(cmake/beck.pc.in beck.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/beck.pc"
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
configure_package_config_file(cmake/beck-config.cmake.in beck-config.cmake
                              INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/beck)
write_basic_package_version_file(beck-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/beck-config.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/beck-config-version.cmake"
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/beck)
