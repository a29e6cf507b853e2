// The table of muster-bench: nccl-tests' columns, so that eyes and scripts used to them can read
// it. Pure: gives text, prints nothing.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "collectives-bench/report.h"

namespace muster::bench {

// Comment lines above the rows; each ends in a newline.
std::string table_header();

// One row. `wrong` of both places are sums over all ranks here.
std::string table_row(const Row& row);

// "# Out of bounds values : 0 OK" and the mean busbw over all rows and both places. The mean
// depends on the sizes asked for: compare it with nothing but itself.
std::string table_footer(std::span<const Row> rows);

}  // namespace muster::bench
