// `muster-rendezvous store`: a store for PyTorch programs, served in the foreground. Blocks.
//
//   muster-rendezvous store [--port P] [--bind ADDRESS] [--admission uid|open]
//
// Prints "port N" when it listens. Ends with 0 at SIGTERM or SIGINT, or when stdin closes where
// stdin is a pipe or a socket (a starter that dies takes its store along); it says which.
// --admission uid, the default, serves only the own user's processes on this machine; open serves
// everybody who reaches the port.
#pragma once

#include <string>
#include <vector>

namespace muster::rendezvous {

// `arguments` stand behind the word store. Returns the exit code: 2 for wrong arguments.
int run_store(const std::vector<std::string>& arguments);

}  // namespace muster::rendezvous
