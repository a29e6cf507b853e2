// Digests that cost nothing and collide only by accident: for tests of protocol, not of secrecy.
#pragma once

#include "rendezvous/handshake.h"

namespace muster::rendezvous {

Digests fake_digests();

}  // namespace muster::rendezvous
