// Random bytes of the kernel, for keys and nonces. A shell: pure code gets them as an argument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace muster::rendezvous {

// Blocks only in a machine's first second. At most 256 bytes.
std::string random_bytes(std::size_t size);

std::uint64_t random_u64();

}  // namespace muster::rendezvous
