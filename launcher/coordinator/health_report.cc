#include "launcher/coordinator/health_report.h"

#include <nlohmann/json.hpp>

#include "launcher/options/exit_codes.h"

namespace muster::launcher {

namespace {

using nlohmann::json;

std::string_view word_of(int exit_code) {
  for (const options::ExitCodeRow& row : options::exit_code_table()) {
    if (to_int(row.code) != exit_code) continue;
    return row.code == options::ExitCode::kSuccess ? "fit" : row.name;
  }
  return "ended by a signal";
}

json describe(const NodeHealth& node) {
  json probes = json::array();
  for (const health::ProbeResult& result : node.results) {
    probes.push_back({{"probe", result.probe},
                      {"answer", to_string(result.answer)},
                      {"value", result.value},
                      {"reason", result.reason},
                      {"subjects", result.subjects}});
  }
  json one = {{"host", node.host},
              {"answer", to_string(worst_of(node.results))},
              {"probes", std::move(probes)}};
  const auto& look = node.after ? node.after : node.before;
  if (look) {
    one["instance_id"] = look->host.instance_id;
    one["facts"] = comparable_facts(node.host, *look).facts;
  }
  return one;
}

json describe(const health::Disagreement& one) {
  json groups = json::array();
  for (const health::FactGroup& group : one.groups) {
    groups.push_back({{"value", group.value}, {"hosts", group.hosts}});
  }
  return {{"fact", one.fact},
          {"answer", to_string(one.answer)},
          {"has_majority", one.has_majority},
          {"groups", std::move(groups)}};
}

json describe(const bench::Row& row) {
  const auto half = [](const bench::Measured& measured) {
    return json{{"time_us", measured.time_us},
                {"algbw", measured.algbw},
                {"busbw", measured.busbw},
                {"wrong", measured.wrong ? json(*measured.wrong) : json()}};
  };
  return {{"bytes", row.bytes},
          {"out_of_place", half(row.out_of_place)},
          {"in_place", half(row.in_place)}};
}

json describe_measurement(const CheckRecord& record) {
  json one = {{"backend", record.backend},
              {"ranks", record.outcomes.size()},
              {"verdict", record.verdict},
              {"rows", json::array()}};
  if (record.outcomes.empty() || !record.outcomes.front().report) return one;
  const bench::RankReport& first = *record.outcomes.front().report;
  one["library"] = first.library;
  one["network"] = first.network;
  one["device"] = first.device;
  for (const bench::Row& row : first.rows) one["rows"].push_back(describe(row));
  return one;
}

}  // namespace

std::string print_health_report(const CheckRecord& record) {
  json document = {{"version", kHealthReportVersion},
                   {"exit_code", record.exit_code},
                   {"verdict", word_of(record.exit_code)},
                   {"profile", record.profile},
                   {"nodes", json::array()},
                   {"disagreements", json::array()}};
  if (record.health != nullptr) {
    for (const NodeHealth& node : record.health->nodes()) {
      document["nodes"].push_back(describe(node));
    }
    for (const health::Disagreement& one : record.health->disagreements()) {
      document["disagreements"].push_back(describe(one));
    }
  }
  if (!record.backend.empty()) document["measurement"] = describe_measurement(record);
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace muster::launcher
