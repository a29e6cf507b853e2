// How replies are written: numbers as raw memory, strings behind a u64 length.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace muster::tcpstore {

template <class Number>
void append_number(std::string& bytes, Number number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

inline void append_string(std::string& bytes, std::string_view string) {
  append_number(bytes, static_cast<std::uint64_t>(string.size()));
  bytes.append(string);
}

}  // namespace muster::tcpstore
