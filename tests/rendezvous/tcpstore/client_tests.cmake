muster_add_test(tcp_table_test LABEL unit
  SOURCES tcp_table_test.cc
  LIBRARIES muster::socket_owner)

# Over real connections, v4, v6 and v4-mapped, of this user and of another one.
muster_add_test(socket_owner_test LABEL component
  SOURCES socket_owner_test.cc
  LIBRARIES muster::socket_owner)

# Clients against the program `muster-rendezvous store`: one that speaks as the newest torch does and
# needs none, and whatever torch is installed (skipped where none is).
find_program(MUSTER_PYTHON3 python3 REQUIRED)
foreach(kind modern_client torch_store)
  muster_add_script_test(${kind}_test LABEL component TIMEOUT 600
    COMMAND ${MUSTER_PYTHON3} ${CMAKE_CURRENT_SOURCE_DIR}/${kind}_test.py
    ENVIRONMENT MUSTER_BIN_DIR=${CMAKE_BINARY_DIR}/bin)
endforeach()
