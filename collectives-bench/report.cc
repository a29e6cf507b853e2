#include "collectives-bench/report.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace muster::bench {

namespace {

using Json = nlohmann::json;

constexpr std::array kPhases = {Phase::kJoin,    Phase::kLoad,   Phase::kInit, Phase::kWarmup,
                                Phase::kMeasure, Phase::kVerify, Phase::kClose};
constexpr std::array kCodes = {
    ErrorCode::kInvalidArgument, ErrorCode::kNotFound, ErrorCode::kUnavailable,
    ErrorCode::kTimeout,         ErrorCode::kProtocol, ErrorCode::kPermissionDenied,
    ErrorCode::kLimit,           ErrorCode::kSystem,   ErrorCode::kCancelled,
    ErrorCode::kUnsupported,
};
constexpr double kMaxNumber = 1e15;

std::string cut(const std::string& text) {
  return text.substr(0, kMaxReportText);
}

std::string cut_word(const std::string& text) {
  return text.substr(0, kMaxReportWord);
}

Json print_nccl(const NcclFacts& facts) {
  return {{"version", cut_word(facts.version)},
          {"plug_in", cut_word(facts.plugin_version)},
          {"network", cut_word(facts.network)},
          {"provider", cut_word(facts.provider)},
          {"nics", facts.nics},
          {"net_channels", facts.net_channels},
          {"direct_channels", facts.direct_channels},
          {"nvls", cut_word(facts.nvls)}};
}

Json print_measured(const Measured& measured) {
  Json document = {{"time_us", measured.time_us},
                   {"mean_us", measured.mean_us},
                   {"algbw", measured.algbw},
                   {"busbw", measured.busbw},
                   {"wrong", measured.wrong ? Json(*measured.wrong) : Json(nullptr)}};
  if (measured.iterations) {
    document["iterations"] = {{"p50_us", measured.iterations->p50_us},
                              {"p99_us", measured.iterations->p99_us},
                              {"cv", measured.iterations->cv}};
  }
  return document;
}

// Reads members of one JSON object; the first bad one is remembered and the rest give defaults.
class ObjectReader {
 public:
  ObjectReader(const Json& object, std::string where, std::optional<Error>& error)
      : object_(object), where_(std::move(where)), error_(error) {
    if (!object.is_object()) fail("", "is no object");
  }

  std::uint64_t whole(const char* name, std::uint64_t limit) {
    const Json* value = find(name);
    if (value == nullptr) return 0;
    if (!value->is_number_unsigned() || value->get<std::uint64_t>() > limit) {
      fail(name, fmt::format("expected a whole number up to {}", limit));
      return 0;
    }
    return value->get<std::uint64_t>();
  }

  std::uint32_t whole32(const char* name) {
    return static_cast<std::uint32_t>(whole(name, std::numeric_limits<std::uint32_t>::max()));
  }

  double number(const char* name) {
    const Json* value = find(name);
    if (value == nullptr) return 0;
    const double held = value->is_number() ? value->get<double>() : -1.0;
    if (!(held >= 0.0 && held <= kMaxNumber)) {
      fail(name, "expected a number that is not negative");
      return 0;
    }
    return held;
  }

  std::string text(const char* name, std::size_t limit = kMaxReportText) {
    const Json* value = find(name);
    if (value == nullptr) return {};
    if (!value->is_string() || value->get_ref<const std::string&>().size() > limit) {
      fail(name, fmt::format("expected a text of at most {} bytes", limit));
      return {};
    }
    return value->get<std::string>();
  }

  std::optional<std::uint64_t> whole_or_null(const char* name) {
    const Json* value = find(name);
    if (value == nullptr || value->is_null()) return std::nullopt;
    return whole(name, std::numeric_limits<std::uint64_t>::max());
  }

  // A named value of a closed set.
  template <class Values>
  auto one_of(const char* name, const Values& values) {
    const std::string held = text(name);
    for (const auto value : values) {
      if (to_string(value) == held) return value;
    }
    fail(name, "is unknown");
    return values[0];
  }

  const Json* find(const char* name) {
    if (error_) return nullptr;
    const auto found = object_.find(name);
    if (found != object_.end()) return &*found;
    fail(name, "is missing");
    return nullptr;
  }

  const Json* find_optional(const char* name) {
    if (error_) return nullptr;
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }

  void fail(std::string_view name, std::string_view problem) {
    if (error_) return;
    error_ = Error(ErrorCode::kProtocol, fmt::format("report: {}{} {}", where_, name, problem));
  }

 private:
  const Json& object_;
  std::string where_;
  std::optional<Error>& error_;
};

Measured read_measured(const Json* object, const std::string& where, std::optional<Error>& error) {
  if (object == nullptr) return {};
  ObjectReader reader(*object, where, error);
  Measured measured;
  measured.time_us = reader.number("time_us");
  measured.mean_us = reader.number("mean_us");
  measured.algbw = reader.number("algbw");
  measured.busbw = reader.number("busbw");
  measured.wrong = reader.whole_or_null("wrong");
  if (const Json* iterations = reader.find_optional("iterations")) {
    ObjectReader statistics(*iterations, where + "iterations.", error);
    measured.iterations = IterationStatistics{.p50_us = statistics.number("p50_us"),
                                              .p99_us = statistics.number("p99_us"),
                                              .cv = statistics.number("cv")};
  }
  return measured;
}

std::vector<Row> read_rows(const Json* array, std::optional<Error>& error) {
  std::vector<Row> rows;
  if (array == nullptr) return rows;
  if (!array->is_array() || array->size() > kMaxReportRows) {
    error = Error(ErrorCode::kProtocol,
                  fmt::format("report: rows: expected at most {} of them", kMaxReportRows));
    return rows;
  }
  for (const Json& item : *array) {
    const std::string where = fmt::format("rows[{}].", rows.size());
    ObjectReader reader(item, where, error);
    Row row;
    row.bytes = reader.whole("bytes", std::numeric_limits<std::uint64_t>::max());
    row.count = reader.whole("count", std::numeric_limits<std::uint64_t>::max());
    row.out_of_place = read_measured(reader.find("out_of_place"), where + "out_of_place.", error);
    const Json* in_place = reader.find("in_place");
    row.has_in_place = in_place == nullptr || !in_place->is_null();
    if (row.has_in_place) row.in_place = read_measured(in_place, where + "in_place.", error);
    if (reader.find_optional("nic") != nullptr) row.nic = reader.text("nic");
    if (error) return {};
    rows.push_back(row);
  }
  return rows;
}

PhaseTimings read_timings(const Json* object, std::optional<Error>& error) {
  if (object == nullptr) return {};
  ObjectReader reader(*object, "timings.", error);
  PhaseTimings timings;
  timings.join = reader.number("join");
  timings.context = reader.number("context");
  timings.init = reader.number("init");
  timings.warmup = reader.number("warmup");
  timings.measure = reader.number("measure");
  return timings;
}

// The algorithm stands in the report itself.
std::optional<NcclFacts> read_nccl(const Json* object, std::optional<Error>& error) {
  if (object == nullptr) return std::nullopt;
  ObjectReader reader(*object, "nccl.", error);
  NcclFacts facts;
  facts.version = reader.text("version", kMaxReportWord);
  facts.plugin_version = reader.text("plug_in", kMaxReportWord);
  facts.network = reader.text("network", kMaxReportWord);
  facts.provider = reader.text("provider", kMaxReportWord);
  facts.nics = reader.whole32("nics");
  facts.net_channels = reader.whole32("net_channels");
  facts.direct_channels = reader.whole32("direct_channels");
  facts.nvls = reader.text("nvls", kMaxReportWord);
  return facts;
}

std::optional<ReportError> read_error(const Json* object, std::optional<Error>& error) {
  if (object == nullptr) return std::nullopt;
  ObjectReader reader(*object, "error.", error);
  ReportError held;
  held.code = reader.one_of("code", kCodes);
  held.text = reader.text("text");
  held.phase = reader.one_of("phase", kPhases);
  return held;
}

}  // namespace

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::kJoin:
      return "join";
    case Phase::kLoad:
      return "load";
    case Phase::kInit:
      return "init";
    case Phase::kWarmup:
      return "warmup";
    case Phase::kMeasure:
      return "measure";
    case Phase::kVerify:
      return "verify";
    case Phase::kClose:
      return "close";
  }
  return "unknown";
}

std::string print_report(const RankReport& report) {
  Json rows = Json::array();
  for (const Row& row : report.rows) {
    rows.push_back({{"bytes", row.bytes},
                    {"count", row.count},
                    {"out_of_place", print_measured(row.out_of_place)},
                    {"in_place", row.has_in_place ? print_measured(row.in_place) : Json(nullptr)}});
    if (!row.nic.empty()) rows.back()["nic"] = cut(row.nic);
  }
  Json document = {{"version", kReportVersion},
                   {"rank", report.rank},
                   {"size", report.size},
                   {"node", report.node},
                   {"host", cut(report.host)},
                   {"operation", to_string(report.operation)},
                   {"backend", cut(report.backend)},
                   {"library", cut(report.library)},
                   {"path", cut(report.path)},
                   {"network", cut(report.network)},
                   {"device", cut(report.device)},
                   {"rows", std::move(rows)},
                   {"timings",
                    {{"join", report.timings.join},
                     {"context", report.timings.context},
                     {"init", report.timings.init},
                     {"warmup", report.timings.warmup},
                     {"measure", report.timings.measure}}}};
  if (!report.algorithm.empty()) document["algorithm"] = cut_word(report.algorithm);
  if (report.nccl) document["nccl"] = print_nccl(*report.nccl);
  if (report.error) {
    document["error"] = {{"code", to_string(report.error->code)},
                         {"text", cut(report.error->text)},
                         {"phase", to_string(report.error->phase)}};
  }
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<RankReport> parse_report(std::string_view document) {
  if (document.size() > kMaxReportBytes) {
    return failure(ErrorCode::kProtocol, fmt::format("report: {} bytes, at most {} are read",
                                                     document.size(), kMaxReportBytes));
  }
  const Json json = Json::parse(document, nullptr, false);
  if (json.is_discarded()) {
    return failure(ErrorCode::kProtocol,
                   fmt::format("report: {} bytes that are no JSON", document.size()));
  }
  std::optional<Error> error;
  ObjectReader reader(json, "", error);
  const std::uint32_t version = reader.whole32("version");
  if (!error && version != kReportVersion) {
    reader.fail("version", fmt::format("is {}, expected {}", version, kReportVersion));
  }
  RankReport report;
  report.rank = reader.whole32("rank");
  report.size = reader.whole32("size");
  report.node = reader.whole32("node");
  report.host = reader.text("host");
  report.operation = reader.one_of("operation", kOperations);
  report.backend = reader.text("backend");
  report.library = reader.text("library");
  report.path = reader.text("path");
  report.network = reader.text("network");
  report.device = reader.text("device");
  report.rows = read_rows(reader.find("rows"), error);
  report.timings = read_timings(reader.find("timings"), error);
  if (reader.find_optional("algorithm") != nullptr) {
    report.algorithm = reader.text("algorithm", kMaxReportWord);
  }
  report.nccl = read_nccl(reader.find_optional("nccl"), error);
  if (report.nccl) report.nccl->algorithm = report.algorithm;
  report.error = read_error(reader.find_optional("error"), error);
  if (!error && report.rank >= report.size) reader.fail("rank", "is not below size");
  if (error) return failure(*error);
  return report;
}

}  // namespace muster::bench
