// Judges a dying worker's last words: its own failure, a complaint about a peer that went before
// it, or the answer to a stop signal. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace muster::verdict {

// NCCL, gloo, TCPStore and plain sockets say this when somebody else died first.
bool complains_about_peer(std::string_view text);

// CUDA and its libraries say this of the device they run on.
bool complains_about_gpu(std::string_view text);

// NCCL's transports, libfabric and RDMA say this of what lies between the nodes.
bool complains_about_network(std::string_view text);

// What sounds like one of these two, and a program does to itself on the best of machines.
bool is_programs_own_error(std::string_view text);

// What Python says when a stop signal ended it: KeyboardInterrupt, SystemExit, SIGTERM.
bool answers_stop(std::string_view text);

}  // namespace muster::verdict
