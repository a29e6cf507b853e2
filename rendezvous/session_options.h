// What a session's options are to its engine, and whether they can find anybody.
#pragma once

#include "rendezvous/member_events.h"
#include "rendezvous/session.h"

namespace muster::rendezvous {

// With a fresh session id.
MemberEngineOptions engine_options(const SessionOptions& options);

// For one that has to search: ports and hosts are given.
Status check_search(const SessionOptions& options);

}  // namespace muster::rendezvous
