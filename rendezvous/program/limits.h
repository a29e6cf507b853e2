// Limits of a program that serves.
#pragma once

namespace muster::rendezvous {

// Each connection costs a descriptor; the usual soft limit of 1024 is for select(2), not for us.
void raise_descriptor_limit();

}  // namespace muster::rendezvous
