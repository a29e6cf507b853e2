// Stands in for munge_api.cc in a build without munge: says so.
#include "rendezvous/munge_api.h"

namespace muster::rendezvous {

struct MungeApi::Functions {};

MungeApi::MungeApi(std::unique_ptr<Functions> functions) : functions_(std::move(functions)) {}
MungeApi::MungeApi(MungeApi&&) noexcept = default;
MungeApi& MungeApi::operator=(MungeApi&&) noexcept = default;
MungeApi::~MungeApi() = default;

namespace {

tl::unexpected<Error> no_munge() {
  return failure(ErrorCode::kUnsupported,
                 "munge: this build was made without it; share a key by MUSTER_TOKEN, or configure "
                 "with MUSTER_WITH_MUNGE=ON");
}

}  // namespace

Result<MungeApi> MungeApi::load() {
  return no_munge();
}
Result<std::string> MungeApi::encode(const MungeEncode&, std::uint32_t) {
  return no_munge();
}
Result<MungeContent> MungeApi::decode(const MungeDecode&) {
  return no_munge();
}

}  // namespace muster::rendezvous
