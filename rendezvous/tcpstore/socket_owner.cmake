# Who owns a TCP connection of this machine.
muster_module(socket_owner
  SOURCES socket_owner.cc tcp_table.cc
  HEADERS socket_owner.h tcp_table.h
  LIBRARIES muster::rendezvous)
