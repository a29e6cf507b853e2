// The table of muster-bench: nccl-tests' columns, so that eyes and scripts used to them can read
// it. Pure: gives text, prints nothing.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "collectives-bench/grouping.h"
#include "collectives-bench/report.h"

namespace muster::bench {

// What all rows of one table share.
struct TableStyle {
  Operation operation = Operation::kAllReduce;
  std::uint32_t root = 0;
  bool statistics = false;  // out of place: p50, p99, cv and the slowest rank behind the rest
  bool nics = false;        // behind all that, by which NIC the row was measured
};

// Comment lines above the rows; each ends in a newline.
std::string table_header(const TableStyle& style = {});

// One row. `wrong` of both places are sums over all ranks here.
std::string table_row(const Row& row, const TableStyle& style = {});

// The same before the second side is measured.
std::string table_half_row(const Row& row, const TableStyle& style = {});

// "# Out of bounds values : 0 OK" and the mean busbw over all rows and both places. The mean
// depends on the sizes asked for: compare it with nothing but itself.
std::string table_footer(std::span<const Row> rows);

// The same for a world in groups: each row has the least, middle and greatest busbw out of place of
// the groups, and names the one with the least. Groups of one rank count only where all are such:
// most operations have no bus there.
std::string split_table_header(const TableStyle& style = {});
std::string split_table_row(std::span<const Group> groups, std::span<const Row> rows,
                            const TableStyle& style);

}  // namespace muster::bench
