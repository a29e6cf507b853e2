#include "rendezvous/tcpstore/request_stream.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "rendezvous/tcpstore/limits.h"

namespace muster::tcpstore {

namespace {

constexpr std::size_t kValidateSize = 5;          // opcode and magic
constexpr std::size_t kKeptCapacity = 16 * 1024;  // a larger buffer is given back after its use

tl::unexpected<Error> unknown_opcode(Era era, std::uint8_t opcode) {
  const std::string number = "opcode " + std::to_string(opcode);
  if (era == Era::kNew) return failure(ErrorCode::kProtocol, number + ", known are 0 to 18");
  return failure(ErrorCode::kProtocol, number +
                                           ", known are 0 to 8 from PyTorch before 2.1 (2.1 is not "
                                           "served); later ones begin with VALIDATE");
}

}  // namespace

Result<bool> RequestStream::next(Request& request) {
  if (kept_is_served_) {
    kept_.clear();
    if (kept_.capacity() > kKeptCapacity) kept_ = std::string();
    kept_is_served_ = false;
  }
  if (fresh_.empty()) return false;
  return kept_.empty() ? next_in_place(request) : next_collected(request);
}

Result<bool> RequestStream::next_in_place(Request& request) {
  const Result<bool> whole = advance(fresh_);
  if (!whole) return whole;
  if (!*whole) {
    kept_.assign(fresh_);
    fresh_ = {};
    return false;
  }
  const std::size_t size = scanner_->size();
  request = read_request(scanner_->operation(), fresh_.substr(1, size - 1));
  fresh_.remove_prefix(size);
  scanner_.reset();
  return true;
}

Result<bool> RequestStream::next_collected(Request& request) {
  while (!fresh_.empty()) {
    const std::size_t needed = scanner_ ? scanner_->size() : kValidateSize;
    const std::size_t piece = std::min(needed - kept_.size(), fresh_.size());
    kept_.append(fresh_.substr(0, piece));
    fresh_.remove_prefix(piece);
    const Result<bool> whole = advance(kept_);
    if (!whole) return whole;
    if (!*whole) continue;
    request = read_request(scanner_->operation(), std::string_view(kept_).substr(1));
    scanner_.reset();
    kept_is_served_ = true;
    return true;
  }
  return false;
}

// Whether `bytes`, which begin at an opcode and are not empty, hold a whole request.
Result<bool> RequestStream::advance(std::string_view bytes) {
  if (era_ == Era::kUnknown) {
    const Result<bool> told = tell_era(bytes);
    if (!told || !*told) return told;
  }
  if (!scanner_) {
    const auto opcode = static_cast<std::uint8_t>(bytes.front());
    const auto operation = operation_of(era_, opcode);
    if (!operation) return unknown_opcode(era_, opcode);
    scanner_.emplace(*operation);
  }
  return scanner_->advance(bytes);
}

// A first opcode of 0 is VALIDATE of the new era or SET of the old one. The magic would be a key
// of a gigabyte, so what follows tells them apart.
Result<bool> RequestStream::tell_era(std::string_view bytes) {
  if (bytes.front() != 0) {
    era_ = Era::kOld;
    return true;
  }
  if (bytes.size() < kValidateSize) return false;
  std::uint32_t word = 0;
  std::memcpy(&word, bytes.data() + 1, sizeof(word));
  if (word != kValidateMagic && word > kMaxKey) {
    char text[80];
    std::snprintf(text, sizeof(text), "VALIDATE with 0x%08X, PyTorch sends 0x%08X", word,
                  kValidateMagic);
    return failure(ErrorCode::kProtocol, text);
  }
  era_ = word == kValidateMagic ? Era::kNew : Era::kOld;
  return true;
}

}  // namespace muster::tcpstore
