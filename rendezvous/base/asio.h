// The only door to Boost.Asio. Included by shells (.cc and the headers STYLE names), never by pure
// code.
//
// Coroutines are off: gcc 12.2 miscompiles them, and without the define <boost/asio.hpp> of
// Boost 1.74 does not compile as C++20 on that compiler. Drop at gcc 13.
#pragma once

#include <utility>  // Boost 1.74 uses std::exchange without including it

#include <boost/asio.hpp>

namespace muster {

namespace asio = boost::asio;

}  // namespace muster
