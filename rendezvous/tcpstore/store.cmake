# The workers' door: PyTorch's TCPStore protocol. The core is pure; the shell has the sockets.
muster_module(tcpstore_core
  SOURCES operations.cc request_scanner.cc request_stream.cc requests.cc store_engine.cc
          store_operations.cc store_table.cc store_waits.cc
  HEADERS limits.h operations.h replies.h request_scanner.h request_stream.h requests.h
          store_engine.h store_table.h
  LIBRARIES muster::base)

muster_module(tcpstore
  SOURCES store_accept.cc store_listener.cc store_server.cc store_sockets.cc
  HEADERS store_listener.h store_server.h store_sockets.h
  LIBRARIES muster::tcpstore_core muster::rendezvous muster_asio)
