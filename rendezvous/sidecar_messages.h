// What a process and its sidecar say to each other: blocking calls and their answers. Pure.
//
// Both ends are of one build, so the format has no version; the parsers still trust nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rendezvous/base/result.h"

namespace muster::rendezvous {

inline constexpr std::size_t kMaxSidecarFrame = 4 * 1024 * 1024;
inline constexpr std::size_t kMaxHosts = 1024;
inline constexpr std::size_t kMaxAddressesPerHost = 256;

// A credential that only our own uid may open. `socket` is munged's, "" for its default.
struct MungeEncode {
  std::string socket;
  std::string payload;
  bool operator==(const MungeEncode&) const = default;
};
struct MungeDecode {
  std::string socket;
  std::string credential;
  bool operator==(const MungeDecode&) const = default;
};
struct LookUpHosts {
  std::vector<std::string> hosts;
  bool operator==(const LookUpHosts&) const = default;
};
using SidecarCall = std::variant<MungeEncode, MungeDecode, LookUpHosts>;

struct MungeCredential {
  std::string credential;
  bool operator==(const MungeCredential&) const = default;
};
struct MungeContent {
  std::uint32_t uid = 0;
  std::string payload;
  bool operator==(const MungeContent&) const = default;
};
enum class AddressKind : std::uint8_t {
  kElsewhere,  // another machine, as far as one can see
  kLoopback,
  kOurs,  // of an interface of this machine: docker0 has the same address everywhere
};
struct HostAddress {
  std::string address;  // numeric
  AddressKind kind = AddressKind::kElsewhere;
  bool operator==(const HostAddress&) const = default;
};
struct HostAddresses {
  std::string host;
  std::string error;  // why there are none
  std::vector<HostAddress> addresses;
  bool operator==(const HostAddresses&) const = default;
};
struct LookedUpHosts {
  std::vector<HostAddresses> hosts;
  bool operator==(const LookedUpHosts&) const = default;
};
using SidecarAnswer = std::variant<MungeCredential, MungeContent, LookedUpHosts>;

// A frame's body; the frame is a u32 length before it.
std::string encode_call(const SidecarCall& call);
Result<SidecarCall> parse_call(std::string_view body);
std::string encode_answer(const Result<SidecarAnswer>& answer);
// The outer Result is about the bytes, the inner is what the sidecar found.
Result<Result<SidecarAnswer>> parse_answer(std::string_view body);

std::string framed(std::string_view body);
// Takes the first frame's body off `bytes`; false when it is not complete yet. kProtocol when it
// is longer than kMaxSidecarFrame.
Result<bool> take_frame(std::string& bytes, std::string& body);

}  // namespace muster::rendezvous
