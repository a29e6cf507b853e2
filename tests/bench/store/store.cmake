# Benches of the workers' store (README.md here): an echo server that bounds what any server can do,
# and a load generator that speaks PyTorch's store protocol. store_bench.py runs them.
add_executable(echo_server store/echo_server.cc)
target_link_libraries(echo_server PRIVATE muster::rendezvous muster_root muster_warnings
                                          CLI11::CLI11)

add_executable(store_load store/load_options.cc store/load_worker.cc store/packets.cc
                          store/store_load.cc)
find_package(Threads REQUIRED)
target_link_libraries(store_load PRIVATE muster::rendezvous muster_root muster_warnings
                                         CLI11::CLI11 Threads::Threads)
set_target_properties(echo_server store_load PROPERTIES
  RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

# That the bench itself works: a few clients, half a second.
find_program(MUSTER_PYTHON3 python3 REQUIRED)
muster_add_script_test(store_bench_smoke_test LABEL component TIMEOUT 120
  COMMAND ${MUSTER_PYTHON3} ${CMAKE_CURRENT_SOURCE_DIR}/store/store_bench.py --smoke
  ENVIRONMENT MUSTER_BIN_DIR=${CMAKE_BINARY_DIR}/bin)
set_property(GLOBAL APPEND PROPERTY MUSTER_TARGETS_component echo_server store_load)
