# The pure half: protocol, membership, store. No socket, clock or randomness.
muster_module(rendezvous_core
  SOURCES approach.cc assembly.cc attendance.cc collectives.cc doubt.cc fields.cc frame.cc handshake.cc heartbeat.cc member_door.cc
          member_engine.cc member_rival.cc messages.cc operations.cc phases.cc server_door.cc server_engine.cc
          server_members.cc sightings.cc store.cc succession.cc text.cc types.cc
  HEADERS approach.h assembly.h attendance.h collectives.h doubt.h fields.h frame.h generation.h handshake.h heartbeat.h member_engine.h
          member_events.h messages.h operations.h phases.h seat_set.h server_engine.h server_events.h sightings.h store.h succession.h
          text.h types.h
  LIBRARIES muster::base)
