// Hostlists: "node[01-03,7],login" written out as host names, as `scontrol show hostnames` does,
// without running scontrol (containers have none). Pure.
//
//   list  = item { separator item }     separators: comma, blank, tab, newline; empty items vanish
//   item  = name | part { part }        a part is a prefix, perhaps empty, and a bracket
//   part  = prefix '[' range { ',' range } ']'
//   range = number [ '-' number ]       padded to the width of the low number as it is written
//
// Order and duplicates are kept. Nothing may follow the last bracket of an item, as in Slurm. Of
// several brackets the last runs fastest, then the first, the second and so on: Slurm's own order.
// Where scontrol prints nonsense ("node[1-2" gives "node]") the list is refused.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "rendezvous/base/result.h"

namespace muster::slurm {

inline constexpr std::size_t kMaxHosts = 65536;   // names of one list; Slurm's own cap on a range
inline constexpr std::size_t kMaxHostName = 255;  // bytes of one name; DNS allows 253
inline constexpr std::size_t kMaxNumberDigits = 18;  // of a number in a bracket; fits 64 bits

// Errors name the position, what was expected and what was found (kInvalidArgument), or the limit
// that was passed (kLimit). An empty list gives no names and is no error.
Result<std::vector<std::string>> expand_hostlist(std::string_view list);

}  // namespace muster::slurm
