// RequestStream: the bytes of one connection become requests, however they are cut. Pure.
//
//   stream.feed(bytes);
//   while (true) { next(request): true -> serve it; false -> feed more; error -> close }
//
// A request that lies whole in the bytes fed is read where it lies; only one that is cut is
// collected, and then no byte behind it. Tells the era by the first bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "rendezvous/base/result.h"
#include "rendezvous/tcpstore/request_scanner.h"
#include "rendezvous/tcpstore/requests.h"

namespace muster::tcpstore {

class RequestStream {
 public:
  // `bytes` must stay as they are until next() has returned false or an error.
  void feed(std::string_view bytes) { fresh_ = bytes; }

  // The views of `request` are good until the next call. kProtocol, kLimit: the rest of the
  // connection has no meaning any more.
  Result<bool> next(Request& request);

  Era era() const { return era_; }
  // Bytes kept of a request that is not complete.
  std::size_t kept() const { return kept_.size(); }

 private:
  Result<bool> next_in_place(Request& request);
  Result<bool> next_collected(Request& request);
  Result<bool> advance(std::string_view bytes);
  Result<bool> tell_era(std::string_view bytes);

  std::string_view fresh_;
  std::string kept_;
  std::optional<RequestScanner> scanner_;
  Era era_ = Era::kUnknown;
  bool kept_is_served_ = false;
};

}  // namespace muster::tcpstore
