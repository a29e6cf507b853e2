# What an embedder of the rendezvous library gets: static libraries, headers, find_package(muster)
# and pkg-config. The programs and modules are installed by their own folders.
include(CMakePackageConfigHelpers)

set_target_properties(muster_rendezvous PROPERTIES EXPORT_NAME rendezvous)
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
configure_package_config_file(cmake/muster-config.cmake.in
  "${PROJECT_BINARY_DIR}/muster-config.cmake" INSTALL_DESTINATION "${package_folder}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/muster-config-version.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/muster-config.cmake"
              "${PROJECT_BINARY_DIR}/muster-config-version.cmake"
        DESTINATION "${package_folder}")

# The .pc file finds its prefix from its own place, so that --prefix at install time works.
file(RELATIVE_PATH MUSTER_PC_TO_PREFIX "/p/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/p")
configure_file(cmake/muster-rendezvous.pc.in "${PROJECT_BINARY_DIR}/muster-rendezvous.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/muster-rendezvous.pc"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
