#include "launcher/history/verdict_record.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace muster::history {

namespace {

using nlohmann::json;
namespace chrono = std::chrono;

constexpr int kVersion = 1;
constexpr std::size_t kTimeLength = 20;  // "2026-11-23T07:12:03Z"

std::string plain(std::string_view text, std::size_t limit) {
  std::string result(text.substr(0, limit));
  for (char& byte : result) {
    if (byte < 0x20 || byte >= 0x7f) byte = '?';
  }
  return result;
}

std::string print_time(chrono::sys_seconds when) {
  const auto day = chrono::floor<chrono::days>(when);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss time(when - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

// The number of `count` digits at `place`; nullopt where there is something else.
std::optional<int> digits_at(std::string_view text, std::size_t place, std::size_t count) {
  int number = 0;
  for (const char digit : text.substr(place, count)) {
    if (digit < '0' || digit > '9') return std::nullopt;
    number = number * 10 + (digit - '0');
  }
  return number;
}

std::optional<chrono::sys_seconds> parse_time(std::string_view text) {
  if (text.size() != kTimeLength || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
      text[13] != ':' || text[16] != ':' || text[19] != 'Z') {
    return std::nullopt;
  }
  const auto year = digits_at(text, 0, 4);
  const auto month = digits_at(text, 5, 2);
  const auto day = digits_at(text, 8, 2);
  const auto hour = digits_at(text, 11, 2);
  const auto minute = digits_at(text, 14, 2);
  const auto second = digits_at(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const chrono::year_month_day date{chrono::year(*year),
                                    chrono::month(static_cast<unsigned>(*month)),
                                    chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  return chrono::sys_days(date) + chrono::hours(*hour) + chrono::minutes(*minute) +
         chrono::seconds(*second);
}

tl::unexpected<Error> malformed(const std::string& what) {
  return failure(ErrorCode::kProtocol, "record: expected " + what);
}

Result<std::string> text_of(const json& value, const std::string& name, std::size_t limit) {
  if (!value.is_string()) return malformed("a text as " + name);
  std::string text = value.get<std::string>();
  if (text.size() > limit) {
    return failure(ErrorCode::kLimit,
                   fmt::format("record: {} has {} bytes, at most {}", name, text.size(), limit));
  }
  return text;
}

Result<std::string> member(const json& object, const char* name, std::size_t limit = kMaxName) {
  const auto found = object.find(name);
  if (found == object.end()) return malformed(std::string("a member ") + name);
  return text_of(*found, name, limit);
}

Result<std::vector<std::string>> parse_gpus(const json& object) {
  const auto found = object.find("gpus");
  if (found == object.end() || !found->is_array()) return malformed("a list as gpus");
  if (found->size() > kMaxGpus) {
    return failure(ErrorCode::kLimit,
                   fmt::format("record: {} gpus, at most {}", found->size(), kMaxGpus));
  }
  std::vector<std::string> gpus;
  for (const json& one : *found) {
    MUSTER_TRY(uuid, text_of(one, "gpus", kMaxName));
    gpus.push_back(std::move(uuid));
  }
  return gpus;
}

Result<UnfitRecord> parse_unfit(const json& object) {
  MUSTER_TRY(host, member(object, "host"));
  if (host.empty()) return malformed("a host that is not empty");
  MUSTER_TRY(instance_id, member(object, "instance_id"));
  MUSTER_TRY(gpus, parse_gpus(object));
  MUSTER_TRY(fault, member(object, "fault"));
  MUSTER_TRY(evidence, member(object, "evidence", kMaxEvidence));
  const auto ratio = object.find("ratio");
  if (ratio == object.end() || !ratio->is_number()) return malformed("a number as ratio");
  return UnfitRecord{std::move(host),  std::move(instance_id), std::move(gpus),
                     std::move(fault), ratio->get<double>(),   std::move(evidence)};
}

}  // namespace

std::string print_record(const Record& record) {
  const UnfitRecord& unfit = record.unfit;
  json gpus = json::array();
  for (const std::string& uuid : unfit.gpus) {
    if (gpus.size() < kMaxGpus) gpus.push_back(plain(uuid, kMaxName));
  }
  nlohmann::ordered_json line;
  line["version"] = kVersion;
  line["time"] = print_time(record.when);
  line["job"] = plain(record.job, kMaxName);
  line["host"] = plain(unfit.host, kMaxName);
  line["instance_id"] = plain(unfit.instance_id, kMaxName);
  line["gpus"] = gpus;
  line["fault"] = plain(unfit.fault, kMaxName);
  line["ratio"] = std::isfinite(unfit.ratio) ? unfit.ratio : 0;
  line["evidence"] = plain(unfit.evidence, kMaxEvidence);
  return line.dump();
}

Result<Record> parse_record(std::string_view line) {
  if (line.size() > kMaxRecord) {
    return failure(ErrorCode::kLimit,
                   fmt::format("record: {} bytes, at most {}", line.size(), kMaxRecord));
  }
  const json object = json::parse(line, nullptr, false);
  if (!object.is_object()) return malformed("a JSON object");
  const auto version = object.find("version");
  if (version == object.end() || *version != kVersion) return malformed("version 1");
  MUSTER_TRY(time, member(object, "time"));
  const auto when = parse_time(time);
  if (!when) return malformed("a time such as 2026-11-23T07:12:03Z");
  MUSTER_TRY(job, member(object, "job"));
  MUSTER_TRY(unfit, parse_unfit(object));
  return Record{*when, std::move(job), std::move(unfit)};
}

Records parse_records(std::string_view text) {
  Records result;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) continue;
    if (Result<Record> record = parse_record(line)) {
      result.records.push_back(std::move(*record));
    } else {
      ++result.skipped;
    }
  }
  return result;
}

}  // namespace muster::history
