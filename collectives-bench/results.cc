#include "collectives-bench/results.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace muster::bench {

namespace {

using Json = nlohmann::json;

constexpr std::uint32_t kResultsVersion = 1;

std::string_view reduction_of(Operation operation) {
  return reduces(operation) ? "sum" : "none";
}

template <class Value>
Json value_or_null(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json side_json(const Measured& side, std::span<const Member> members) {
  Json document = {{"time_us", side.mean_us},
                   {"algbw", side.algbw},
                   {"busbw", side.busbw},
                   {"wrong", value_or_null(side.wrong)}};
  if (side.iterations) {
    document["p50_us"] = side.iterations->p50_us;
    document["p99_us"] = side.iterations->p99_us;
    document["cv"] = side.iterations->cv;
  }
  if (side.slowest_rank) {
    document["slowest"] = {{"rank", *side.slowest_rank},
                           {"host", members[*side.slowest_rank].place.host},
                           {"time_us", side.time_us}};
  }
  return document;
}

Json world_json(std::span<const Member> members) {
  Json list = Json::array();
  for (std::size_t rank = 0; rank < members.size(); ++rank) {
    const Member& member = members[rank];
    list.push_back({{"rank", rank},
                    {"node", member.place.node},
                    {"local_rank", member.place.local_rank},
                    {"host", member.place.host},
                    {"pid", member.pid},
                    {"device", member.device},
                    {"network", member.network},
                    {"library", member.library}});
  }
  return list;
}

Json groups_json(const Results& results) {
  Json list = Json::array();
  for (std::size_t i = 0; i < results.groups.size(); ++i) {
    Json rows = Json::array();
    for (const std::vector<Row>& size : results.sizes) {
      const Row& row = size[i];
      rows.push_back({{"bytes", row.bytes},
                      {"count", row.count},
                      {"out_of_place", side_json(row.out_of_place, results.members)},
                      {"in_place", row.has_in_place ? side_json(row.in_place, results.members)
                                                    : Json(nullptr)}});
      if (!row.nic.empty()) rows.back()["nic"] = row.nic;
    }
    list.push_back({{"name", results.groups[i].name},
                    {"ranks", results.groups[i].ranks},
                    {"rows", std::move(rows)}});
  }
  return list;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string csv_line(const Results& results, const Group& group, const Row& row,
                     std::string_view placement, const Measured& side) {
  std::string line =
      fmt::format("{},{},{},{},float,{},{},{},{},{},{},{},{},{}", to_string(results.operation),
                  csv_field(group.name), row.bytes, row.count, reduction_of(results.operation),
                  has_root(results.operation) ? std::to_string(results.root) : std::string("-1"),
                  group.ranks.size(), placement, side.mean_us, side.algbw, side.busbw,
                  side.wrong ? std::to_string(*side.wrong) : std::string(),
                  side.iterations ? fmt::format("{},{},{}", side.iterations->p50_us,
                                                side.iterations->p99_us, side.iterations->cv)
                                  : std::string(",,"));
  const std::string nic = csv_field(row.nic);
  if (!side.slowest_rank) return line + fmt::format(",,,{}\n", nic);
  return line + fmt::format(",{},{},{}\n", *side.slowest_rank,
                            csv_field(results.members[*side.slowest_rank].place.host), nic);
}

}  // namespace

std::string print_json(const Results& results) {
  Json variables = Json::object();
  for (const auto& [name, value] : results.variables) variables[name] = value;
  Json document = {
      {"version", kResultsVersion},
      {"program", "muster-bench"},
      {"operation", to_string(results.operation)},
      {"type", "float"},
      {"redop", reduction_of(results.operation)},
      {"root", has_root(results.operation) ? Json(results.root) : Json(nullptr)},
      {"split", to_string(results.split)},
      {"iterations", results.iterations},
      {"warmup", results.warmup},
      {"checks", results.checks},
      {"backend", results.backend},
      {"library", results.library},
      {"path", results.path},
      {"transport", results.transport.empty() ? Json(nullptr) : Json(results.transport)},
      {"environment", std::move(variables)},
      {"world", world_json(results.members)},
      {"groups", groups_json(results)},
      {"timings",
       {{"join", results.timings.join},
        {"context", results.timings.context},
        {"init", results.timings.init},
        {"warmup", results.timings.warmup},
        {"measure", results.timings.measure}}},
      {"error", nullptr}};
  if (results.error) {
    document["error"] = {{"code", to_string(results.error->code)},
                         {"text", results.error->text},
                         {"phase", to_string(results.error->phase)}};
  }
  return document.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string print_csv(const Results& results) {
  std::string text =
      "operation,group,bytes,count,type,redop,root,ranks,placement,time_us,algbw,busbw,wrong,"
      "p50_us,p99_us,cv,slowest_rank,slowest_host,nic\n";
  for (const std::vector<Row>& size : results.sizes) {
    for (std::size_t i = 0; i < size.size(); ++i) {
      const Group& group = results.groups[i];
      text += csv_line(results, group, size[i], "out_of_place", size[i].out_of_place);
      if (!size[i].has_in_place) continue;
      text += csv_line(results, group, size[i], "in_place", size[i].in_place);
    }
  }
  return text;
}

}  // namespace muster::bench
