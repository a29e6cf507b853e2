# What an embedder of the rendezvous library gets: the C ABI as a shared and as a static library, the
# Python module, the C++ libraries, headers, find_package(muster) and pkg-config. The programs and
# modules are installed by their own folders.
include(CMakePackageConfigHelpers)

# libmuster_rendezvous.a is the C ABI's.
set_target_properties(muster_rendezvous PROPERTIES
  EXPORT_NAME rendezvous OUTPUT_NAME muster_rendezvous_cpp)
set_target_properties(muster_rendezvous_core PROPERTIES EXPORT_NAME rendezvous_core)
set_target_properties(muster_base PROPERTIES EXPORT_NAME base)
install(TARGETS muster_root muster_asio muster_base muster_rendezvous_core muster_rendezvous
        EXPORT muster_targets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY rendezvous/base DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/muster/rendezvous"
        FILES_MATCHING PATTERN "*.h")
install(FILES rendezvous/authentication.h rendezvous/group.h rendezvous/ports.h rendezvous/server.h
              rendezvous/session.h rendezvous/types.h
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/muster/rendezvous")

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/muster")
install(EXPORT muster_targets NAMESPACE muster:: FILE muster-targets.cmake
        DESTINATION "${package_folder}")

# Of its own, so that a C program needs none of the C++ dependencies.
set_target_properties(muster_rendezvous_c PROPERTIES EXPORT_NAME rendezvous_c)
set_target_properties(muster_rendezvous_c_static PROPERTIES EXPORT_NAME rendezvous_c_static)
install(TARGETS muster_rendezvous_c muster_rendezvous_c_static EXPORT muster_c_targets
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(EXPORT muster_c_targets NAMESPACE muster:: FILE muster-c-targets.cmake
        DESTINATION "${package_folder}")
install(FILES rendezvous/c_api/muster_rendezvous.h DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
# It finds the library two folders up.
install(FILES rendezvous/python/muster_rendezvous.py
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/muster/python")

configure_package_config_file(cmake/muster-config.cmake.in
  "${PROJECT_BINARY_DIR}/muster-config.cmake" INSTALL_DESTINATION "${package_folder}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/muster-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/muster-config.cmake"
              "${PROJECT_BINARY_DIR}/muster-config-version.cmake"
        DESTINATION "${package_folder}")

# The .pc files find their prefix from their own place, so that --prefix at install time works.
file(RELATIVE_PATH MUSTER_PC_TO_PREFIX "/p/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/p")
foreach(name muster-rendezvous muster-rendezvous-static muster-rendezvous-cpp)
  configure_file(cmake/${name}.pc.in "${PROJECT_BINARY_DIR}/${name}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${name}.pc"
          DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endforeach()
