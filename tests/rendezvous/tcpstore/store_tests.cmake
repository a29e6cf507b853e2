muster_add_test(tcpstore_core_test LABEL unit
  SOURCES request_stream_test.cc store_engine_test.cc store_limits_test.cc store_page_test.cc
  LIBRARIES muster::tcpstore)
set_source_files_properties(store_page_test.cc PROPERTIES COMPILE_DEFINITIONS
  "MUSTER_STORE_PAGE=\"${PROJECT_SOURCE_DIR}/rendezvous/tcpstore/STORE.md\"")
muster_add_test(store_server_test LABEL component
  SOURCES store_server_test.cc
  LIBRARIES muster::tcpstore)
