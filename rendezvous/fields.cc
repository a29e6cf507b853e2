#include "rendezvous/fields.h"

#include <algorithm>

#include "rendezvous/base/check.h"

namespace muster::rendezvous {

void FieldWriter::raw(const std::string& value, std::size_t size) {
  MUSTER_CHECK(value.size() == size);
  writer_.raw(value);
}

void FieldWriter::code(ErrorCode value) {
  const auto* place = std::find(kWireErrorCodes.begin(), kWireErrorCodes.end(), value);
  MUSTER_CHECK(place != kWireErrorCodes.end());
  writer_.u8(static_cast<std::uint8_t>(place - kWireErrorCodes.begin() + 1));
}

void FieldReader::code(ErrorCode& value) {
  const std::uint8_t byte = reader_.u8();
  const bool known = byte >= 1 && byte <= kWireErrorCodes.size();
  require(known);
  if (known) value = kWireErrorCodes[byte - 1u];
}

Status FieldReader::finish(std::string_view what) const {
  MUSTER_RETURN_IF_ERROR(reader_.finish(what));
  if (bad_value_)
    return failure(ErrorCode::kProtocol, std::string(what) + ": a value out of range");
  return {};
}

}  // namespace muster::rendezvous
