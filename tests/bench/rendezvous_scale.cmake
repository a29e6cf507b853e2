# muster-simulate: N agents over loopback (rendezvous/README.md shows its numbers).
add_executable(muster-simulate
  simulate/channel.cc simulate/crowd.cc simulate/main.cc simulate/options.cc simulate/report.cc)
target_link_libraries(muster-simulate PRIVATE
  muster::rendezvous muster_root muster_warnings CLI11::CLI11 fmt::fmt
  nlohmann_json::nlohmann_json)
set_target_properties(muster-simulate PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
add_dependencies(muster-simulate muster-rendezvous)
