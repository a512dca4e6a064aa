# SPDX-License-Identifier: Apache-2.0
# Install tree and package files, for find_package(relulift).
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/relulift)
install(TARGETS relulift EXPORT relulift_targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/relulift DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT relulift_targets NAMESPACE relulift:: DESTINATION ${package_dir})
configure_package_config_file(cmake/relulift-config.cmake.in
  ${PROJECT_BINARY_DIR}/relulift-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/relulift-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/relulift-config.cmake
  ${PROJECT_BINARY_DIR}/relulift-config-version.cmake cmake/FindLAPACKE.cmake cmake/FindLibZip.cmake
  DESTINATION ${package_dir})
