# The pure half: protocol, membership, store. No socket, clock or randomness.
muster_module(rendezvous_core
  SOURCES assembly.cc collectives.cc fields.cc frame.cc handshake.cc heartbeat.cc member_door.cc
          member_engine.cc messages.cc operations.cc phases.cc server_door.cc server_engine.cc
          server_members.cc store.cc text.cc types.cc
  HEADERS assembly.h collectives.h fields.h frame.h handshake.h heartbeat.h member_engine.h
          member_events.h messages.h operations.h phases.h server_engine.h server_events.h store.h
          text.h types.h
  LIBRARIES muster::base)
