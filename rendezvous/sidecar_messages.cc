#include "rendezvous/sidecar_messages.h"

#include "rendezvous/base/bytes.h"

namespace muster::rendezvous {

namespace {

enum class Kind : std::uint8_t { kEncode = 1, kDecode, kLookUp, kError };

constexpr std::string_view kCall = "sidecar call";
constexpr std::string_view kAnswer = "sidecar answer";

void put(ByteWriter& out, Kind kind) {
  out.u8(static_cast<std::uint8_t>(kind));
}

struct CallWriter {
  ByteWriter& out;
  void operator()(const MungeEncode& call) const {
    put(out, Kind::kEncode);
    out.string(call.socket).string(call.payload);
  }
  void operator()(const MungeDecode& call) const {
    put(out, Kind::kDecode);
    out.string(call.socket).string(call.credential);
  }
  void operator()(const LookUpHosts& call) const {
    put(out, Kind::kLookUp);
    out.u32(static_cast<std::uint32_t>(call.hosts.size()));
    for (const std::string& host : call.hosts) out.string(host);
  }
};

struct AnswerWriter {
  ByteWriter& out;
  void operator()(const MungeCredential& answer) const {
    put(out, Kind::kEncode);
    out.string(answer.credential);
  }
  void operator()(const MungeContent& answer) const {
    put(out, Kind::kDecode);
    out.u32(answer.uid).string(answer.payload);
  }
  void operator()(const LookedUpHosts& answer) const {
    put(out, Kind::kLookUp);
    out.u32(static_cast<std::uint32_t>(answer.hosts.size()));
    for (const HostAddresses& host : answer.hosts) {
      out.string(host.host).string(host.error);
      out.u32(static_cast<std::uint32_t>(host.addresses.size()));
      for (const HostAddress& address : host.addresses)
        out.string(address.address).u8(static_cast<std::uint8_t>(address.kind));
    }
  }
};

std::string string_of(ByteReader& in) {
  return std::string(in.string(kMaxSidecarFrame));
}

LookUpHosts hosts_of(ByteReader& in) {
  LookUpHosts call;
  const std::uint32_t count = in.count(kMaxHosts);
  for (std::uint32_t i = 0; i < count && !in.failed(); ++i) call.hosts.push_back(string_of(in));
  return call;
}

Error unknown(std::string_view what, std::string_view kind, std::uint8_t number) {
  return Error(ErrorCode::kProtocol,
               std::string(what) + ": unknown " + std::string(kind) + " " + std::to_string(number));
}

// A number that no enumerator has is refused: what is parsed can be written again as it was.
Result<LookedUpHosts> looked_up_of(ByteReader& in) {
  LookedUpHosts answer;
  const std::uint32_t count = in.count(kMaxHosts);
  for (std::uint32_t i = 0; i < count && !in.failed(); ++i) {
    HostAddresses host{string_of(in), string_of(in), {}};
    const std::uint32_t addresses = in.count(kMaxAddressesPerHost);
    for (std::uint32_t k = 0; k < addresses && !in.failed(); ++k) {
      std::string address = string_of(in);
      const std::uint8_t kind = in.u8();
      if (kind > static_cast<std::uint8_t>(AddressKind::kOurs))
        return failure(unknown(kAnswer, "kind of address", kind));
      host.addresses.push_back({std::move(address), static_cast<AddressKind>(kind)});
    }
    answer.hosts.push_back(std::move(host));
  }
  return answer;
}

}  // namespace

std::string encode_call(const SidecarCall& call) {
  ByteWriter out;
  std::visit(CallWriter{out}, call);
  return out.take();
}

Result<SidecarCall> parse_call(std::string_view body) {
  ByteReader in(body);
  SidecarCall call;
  const std::uint8_t kind = in.u8();
  switch (static_cast<Kind>(kind)) {
    case Kind::kEncode:
      call = MungeEncode{string_of(in), string_of(in)};
      break;
    case Kind::kDecode:
      call = MungeDecode{string_of(in), string_of(in)};
      break;
    case Kind::kLookUp:
      call = hosts_of(in);
      break;
    default:
      return failure(unknown(kCall, "kind", kind));
  }
  MUSTER_RETURN_IF_ERROR(in.finish(kCall));
  return call;
}

std::string encode_answer(const Result<SidecarAnswer>& answer) {
  ByteWriter out;
  if (answer) {
    std::visit(AnswerWriter{out}, *answer);
  } else {
    put(out, Kind::kError);
    out.u8(static_cast<std::uint8_t>(answer.error().code())).string(answer.error().message());
  }
  return out.take();
}

Result<Result<SidecarAnswer>> parse_answer(std::string_view body) {
  ByteReader in(body);
  Result<SidecarAnswer> answer;
  const std::uint8_t kind = in.u8();
  switch (static_cast<Kind>(kind)) {
    case Kind::kEncode:
      answer = MungeCredential{string_of(in)};
      break;
    case Kind::kDecode: {
      const std::uint32_t uid = in.u32();
      answer = MungeContent{uid, string_of(in)};
      break;
    }
    case Kind::kLookUp: {
      MUSTER_TRY(hosts, looked_up_of(in));
      answer = std::move(hosts);
      break;
    }
    case Kind::kError: {
      const std::uint8_t code = in.u8();
      if (code > static_cast<std::uint8_t>(ErrorCode::kUnsupported))
        return failure(unknown(kAnswer, "error code", code));
      answer = failure(static_cast<ErrorCode>(code), string_of(in));
      break;
    }
    default:
      return failure(unknown(kAnswer, "kind", kind));
  }
  MUSTER_RETURN_IF_ERROR(in.finish(kAnswer));
  return answer;
}

std::string framed(std::string_view body) {
  ByteWriter out;
  out.string(body);
  return out.take();
}

Result<bool> take_frame(std::string& bytes, std::string& body) {
  if (bytes.size() < sizeof(std::uint32_t)) return false;
  const std::uint32_t size = ByteReader(std::string_view(bytes).substr(0, 4)).u32();
  if (size > kMaxSidecarFrame)
    return failure(ErrorCode::kProtocol, "sidecar frame of " + std::to_string(size) + " bytes");
  if (bytes.size() - sizeof(size) < size) return false;
  body = bytes.substr(sizeof(size), size);
  bytes.erase(0, sizeof(size) + size);
  return true;
}

}  // namespace muster::rendezvous
