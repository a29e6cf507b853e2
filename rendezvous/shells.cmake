# The shells of rendezvous/: sockets, loops and the helper program around the pure core.

find_path(MUSTER_MUNGE_INCLUDE munge.h)
mark_as_advanced(MUSTER_MUNGE_INCLUDE)
if(MUSTER_MUNGE_INCLUDE)
  muster_decide(MUNGE TRUE "${MUSTER_MUNGE_INCLUDE}/munge.h, libmunge.so.2 is loaded when needed")
else()
  muster_decide(MUNGE FALSE "munge.h not found (Debian package libmunge-dev)")
endif()

# SHA-256. Static where the archive exists, so that a carried binary needs no libmd.so.
find_library(MUSTER_LIBMD_ARCHIVE libmd.a HINTS ${LIBMD_LIBRARY_DIRS} ${LIBMD_LIBDIR})
mark_as_advanced(MUSTER_LIBMD_ARCHIVE)
if(MUSTER_LIBMD_ARCHIVE)
  set(MUSTER_LIBMD "${MUSTER_LIBMD_ARCHIVE}")
else()
  set(MUSTER_LIBMD PkgConfig::LIBMD)
endif()

muster_module(rendezvous
  SOURCES
    authentication.cc connection.cc connection_table.cc coordinator_search.cc engine_driver.cc
    group.cc group_environment.cc helper_process.cc hmac.cc host_addresses.cc note_limiter.cc
    ports.cc random.cc serve_messages.cc server.cc session.cc session_options.cc sidecar.cc
    sidecar_messages.cc sidecar_pool.cc sockets.cc timer.cc
  HEADERS
    authentication.h connection.h connection_table.h coordinator_search.h engine_driver.h group.h
    group_variables.h helper_process.h hmac.h host_addresses.h note_limiter.h ports.h random.h
    serve_messages.h server.h session.h session_options.h sidecar.h sidecar_messages.h sidecar_pool.h
    sockets.h timer.h
  LIBRARIES muster::rendezvous_core muster_asio
  PRIVATE_LIBRARIES nlohmann_json::nlohmann_json ${MUSTER_LIBMD})
set_source_files_properties(helper_process.cc PROPERTIES COMPILE_DEFINITIONS
  "MUSTER_INSTALLED_LIBEXEC_DIR=\"${CMAKE_INSTALL_FULL_LIBEXECDIR}/muster\"")
if(MUSTER_HAVE_MUNGE)
  set_source_files_properties(authentication.cc PROPERTIES COMPILE_DEFINITIONS MUSTER_HAVE_MUNGE)
endif()

# The program: the only part that blocks, and the only one that loads libmunge.
muster_module(rendezvous_program
  SOURCES
    program/limits.cc program/serve.cc program/sidecar_loop.cc program/signals.cc
    program/store.cc
    $<IF:$<BOOL:${MUSTER_HAVE_MUNGE}>,munge_api.cc,no_munge_api.cc>
  HEADERS munge_api.h program/limits.h program/serve.h program/sidecar_loop.h program/signals.h
          program/store.h
  LIBRARIES muster::rendezvous muster::socket_owner muster::tcpstore
  PRIVATE_LIBRARIES ${CMAKE_DL_LIBS})

add_executable(muster-rendezvous program/main.cc)
set_source_files_properties(program/main.cc PROPERTIES
  COMPILE_DEFINITIONS MUSTER_VERSION="${PROJECT_VERSION}")
target_link_libraries(muster-rendezvous PRIVATE muster::rendezvous_program muster_warnings)
set_target_properties(muster-rendezvous PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
install(TARGETS muster-rendezvous RUNTIME DESTINATION "${CMAKE_INSTALL_LIBEXECDIR}/muster")
