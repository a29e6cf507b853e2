// Whether a failure gives reason to measure the machine anew before the next attempt. Pure.
//
//   the first cause                                          suspect
//   a worker's words of a CUDA error, an uncorrectable ECC   a GPU
//   a worker's words of NCCL's transports, their libraries  the network
//   words that blame a peer, while no peer shows a cause     a peer, or the way to it
//   a CUDA or NCCL error that a program makes itself: out    nothing
//   of memory, an illegal access, invalid usage
//   anything else: an exception, a signal, a lost node       nothing
//
// Its words are the line of the cause and its last ten lines of stderr. A lost node says nothing of
// the others, and a spare in its place has been measured.
#pragma once

#include <string_view>

#include "launcher/verdict/first_cause.h"

namespace muster::verdict {

enum class Suspect { kNothing, kGpu, kNetwork, kPeer };

Suspect suspect_of(const FirstCause& cause);

// "a GPU", "the network", "a peer, and none shows a cause"; "" for kNothing. Static.
std::string_view to_string(Suspect suspect);

}  // namespace muster::verdict
