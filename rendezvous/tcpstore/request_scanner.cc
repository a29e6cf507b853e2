#include "rendezvous/tcpstore/request_scanner.h"

#include <cstring>
#include <string>

#include "rendezvous/tcpstore/limits.h"

namespace muster::tcpstore {

namespace {

std::uint64_t number_at(std::string_view bytes, std::size_t place) {
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data() + place, sizeof(number));
  return number;
}

tl::unexpected<Error> too_much(Operation operation, std::string_view what, std::uint64_t given,
                               std::uint64_t limit) {
  return failure(ErrorCode::kLimit, std::string(shape_of(operation).name) + " with " +
                                        std::string(what) + " " + std::to_string(given) +
                                        ", at most " + std::to_string(limit));
}

}  // namespace

RequestScanner::RequestScanner(Operation operation)
    : operation_(operation), counted_(!shape_of(operation).is_list) {}

bool RequestScanner::take(std::string_view bytes, std::size_t size) {
  needed_ = looked_at_ + size;
  if (bytes.size() < needed_) return false;
  looked_at_ = needed_;
  return true;
}

Result<bool> RequestScanner::advance(std::string_view bytes) {
  const Shape& shape = shape_of(operation_);
  if (!counted_) {
    if (!take(bytes, sizeof(std::uint64_t))) return false;
    items_left_ = number_at(bytes, looked_at_ - sizeof(std::uint64_t));
    if (items_left_ > kMaxKeysPerRequest)
      return too_much(operation_, "a number of keys of", items_left_, kMaxKeysPerRequest);
    counted_ = true;
  }
  for (; items_left_ > 0; --items_left_) {
    for (; field_ < shape.size; ++field_) {
      const Result<bool> whole = advance_field(bytes, shape.fields[field_]);
      if (!whole || !*whole) return whole;
    }
    field_ = 0;
  }
  return true;
}

Result<bool> RequestScanner::advance_field(std::string_view bytes, Field field) {
  if (field == Field::kWord) return take(bytes, sizeof(std::uint32_t));
  if (field == Field::kNumber) return take(bytes, sizeof(std::uint64_t));
  constexpr std::size_t kLength = sizeof(std::uint64_t);
  needed_ = looked_at_ + kLength;
  if (bytes.size() < needed_) return false;
  const std::uint64_t size = number_at(bytes, looked_at_);
  const bool is_key = field == Field::kKey;
  const std::size_t limit = is_key ? kMaxKey : kMaxValue;
  if (size > limit)
    return too_much(operation_, is_key ? "a key of bytes" : "a value of bytes", size, limit);
  if (needed_ + size > kMaxRequest)
    return too_much(operation_, "a total of bytes", needed_ + size, kMaxRequest);
  return take(bytes, kLength + size);
}

}  // namespace muster::tcpstore
