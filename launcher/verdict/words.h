// Judges a dying worker's last words: its own failure, a complaint about a peer that went before
// it, or the answer to a stop signal. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace muster::verdict {

// NCCL, gloo, TCPStore and plain sockets say this when somebody else died first.
bool complains_about_peer(std::string_view text);

// What Python says when a stop signal ended it: KeyboardInterrupt, SystemExit, SIGTERM.
bool answers_stop(std::string_view text);

}  // namespace muster::verdict
