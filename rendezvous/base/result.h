// Result<T>: a value or an Error. `Status` is a Result without a value.
//
// std::expected arrives with C++23; until then tl::expected has the same interface.
// Two macros only: MUSTER_TRY(name, expr) and MUSTER_RETURN_IF_ERROR(expr). Both return the error
// of the enclosing function's Result unchanged; add context with `.map_error` or `Error::within`
// first.
#pragma once

#include <tl/expected.hpp>
#include <utility>

#include "rendezvous/base/error.h"

namespace muster {

template <class T>
using Result = tl::expected<T, Error>;

using Status = Result<void>;

inline tl::unexpected<Error> failure(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

inline tl::unexpected<Error> failure(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error(code, std::move(message)));
}

}  // namespace muster

#define MUSTER_TRY(name, expression)                                                   \
  auto name##_result = (expression);                                                   \
  if (!name##_result) return ::tl::unexpected<::muster::Error>(name##_result.error()); \
  auto name = std::move(*name##_result)

#define MUSTER_RETURN_IF_ERROR(expression)                                               \
  do {                                                                                   \
    auto status_of_expression = (expression);                                            \
    if (!status_of_expression)                                                           \
      return ::tl::unexpected<::muster::Error>(std::move(status_of_expression).error()); \
  } while (false)
