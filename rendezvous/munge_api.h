// MungeApi: libmunge, loaded when it is first needed, so that muster runs where it is missing.
//
// Blocking (a munged may hang): used only inside the sidecar process.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "rendezvous/base/result.h"
#include "rendezvous/sidecar_messages.h"

namespace muster::rendezvous {

class MungeApi {
 public:
  // kUnsupported when this build has no munge, or libmunge.so.2 is not on this machine.
  static Result<MungeApi> load();
  MungeApi(MungeApi&&) noexcept;
  MungeApi& operator=(MungeApi&&) noexcept;
  ~MungeApi();

  // A credential that lives a minute and that only `uid` can open.
  Result<std::string> encode(const MungeEncode& call, std::uint32_t uid);

  // Errors name the cause and the cure: replayed, expired (clocks), meant for another user, no
  // daemon. A replayed credential never passes.
  Result<MungeContent> decode(const MungeDecode& call);

 private:
  struct Functions;
  explicit MungeApi(std::unique_ptr<Functions> functions);
  std::unique_ptr<Functions> functions_;
};

}  // namespace muster::rendezvous
