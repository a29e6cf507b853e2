// RequestScanner: where a request ends. Pure.
//
// Remembers how far it has looked, so that a request which arrives in many pieces is looked at
// once, not from its start with every piece. Checks every length and count against its limit as
// soon as it is there, before the bytes behind it are waited for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "rendezvous/base/result.h"
#include "rendezvous/tcpstore/operations.h"

namespace muster::tcpstore {

class RequestScanner {
 public:
  explicit RequestScanner(Operation operation);

  // `bytes` begin at the opcode and begin with what was given before. True when the request is
  // complete: it is the first size() of them. kLimit when a limit is exceeded.
  Result<bool> advance(std::string_view bytes);

  Operation operation() const { return operation_; }
  // What the request has at least; exact when it is complete.
  std::size_t size() const { return needed_; }

 private:
  Result<bool> advance_field(std::string_view bytes, Field field);
  bool take(std::string_view bytes, std::size_t size);

  Operation operation_;
  bool counted_ = false;  // the number of items is known
  std::uint8_t field_ = 0;
  std::uint64_t items_left_ = 1;
  std::size_t looked_at_ = 1;  // the opcode
  std::size_t needed_ = 1;
};

}  // namespace muster::tcpstore
