#include "collectives-bench/profile/baseline.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <utility>

#include "collectives-bench/profile/profile_files.h"
#include "collectives-bench/profile/profile_parser.h"

namespace muster::bench {

namespace {

constexpr const char* kSourceName = "recorded";

bool is_same_row(const BusbwRow& a, const BusbwRow& b) {
  return a.operation == b.operation && a.nodes == b.nodes && a.ranks_per_node == b.ranks_per_node &&
         a.algorithm == b.algorithm;
}

BusbwRow& row_of(std::vector<BusbwRow>& rows, BusbwRow wanted) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&wanted](const BusbwRow& row) {
    return is_same_row(row, wanted);
  });
  if (found != rows.end()) return *found;
  rows.push_back(std::move(wanted));
  return rows.back();
}

void put_point(BusbwRow& row, BusbwPoint point) {
  const auto place = std::lower_bound(
      row.points.begin(), row.points.end(), point.bytes,
      [](const BusbwPoint& one, std::uint64_t bytes) { return one.bytes < bytes; });
  if (place != row.points.end() && place->bytes == point.bytes) {
    *place = std::move(point);
  } else {
    row.points.insert(place, std::move(point));
  }
}

// One line that the parser takes back.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  text.resize(std::min(text.size(), kMaxProfileText));
  return text.empty() ? "not told" : text;
}

}  // namespace

Profile record_baseline(const Profile& base, const std::vector<MeasuredBusbw>& measured,
                        const std::string& origin, double tolerance) {
  std::vector<BusbwRow> rows;
  for (const MeasuredBusbw& one : measured) {
    if (one.bytes == 0 || !(one.busbw > 0)) continue;
    BusbwRow& row = row_of(rows, {one.operation,
                                  one.nodes,
                                  one.ranks_per_node,
                                  one.algorithm,
                                  FigureKind::kRecorded,
                                  tolerance,
                                  {}});
    put_point(row, {one.bytes, one.busbw, kSourceName, false});
  }
  for (const BusbwRow& old : base.busbw) {
    const bool is_replaced = std::any_of(
        rows.begin(), rows.end(), [&old](const BusbwRow& row) { return is_same_row(row, old); });
    if (!is_replaced) rows.push_back(old);
  }
  Profile profile = base;
  profile.busbw = std::move(rows);
  profile.sources[kSourceName] = one_line(origin);
  return profile;
}

Status write_baseline_file(const std::string& path, const Profile& profile) {
  const std::string draft = path + ".new";
  const auto fail = [&draft](ErrorCode code, const std::string& what) {
    std::remove(draft.c_str());
    return failure(code, "write the baseline " + draft + ": " + what);
  };
  std::ofstream file(draft, std::ios::trunc | std::ios::binary);
  file << write_profile(profile);
  file.close();
  if (!file) return fail(ErrorCode::kSystem, "cannot write there; expected a folder with room");
  const Result<Profile> back = load_profile(draft);
  if (!back) return fail(back.error().code(), back.error().message());
  if (*back != profile) return fail(ErrorCode::kSystem, "it does not read back as it was written");
  if (std::rename(draft.c_str(), path.c_str()) != 0) {
    return fail(ErrorCode::kSystem, "cannot be renamed to " + path);
  }
  return {};
}

}  // namespace muster::bench
