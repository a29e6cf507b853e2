// Progress: one line for a terminal about what is measured now and how long it will take. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace muster::bench {

// What is left at sizes[place] and after it, when the sizes before it took `seconds`: in proportion
// to the bytes, with a base for each size. Empty before the first is done.
std::optional<double> seconds_left(std::span<const std::uint64_t> sizes, std::size_t place,
                                   double seconds);

// "[####......] 4 of 10: 64 MiB, about 12 s left"; at most 79 columns.
std::string progress_line(std::span<const std::uint64_t> sizes, std::size_t place, double seconds);

}  // namespace muster::bench
