#include "launcher/coordinator/health_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

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

std::string_view word_of(bench::localise::OutcomeKind outcome) {
  switch (outcome) {
    case bench::localise::OutcomeKind::kMeasured:
      return "measured";
    case bench::localise::OutcomeKind::kHung:
      return "hung";
    case bench::localise::OutcomeKind::kWrongData:
      return "wrong data";
    case bench::localise::OutcomeKind::kFailed:
      return "not measured";
  }
  return "unknown";
}

json describe_measurement(const CheckRecord& record) {
  const std::vector<bench::RankOutcome>& ranks = record.log->world();
  json one = {{"backend", record.backend},
              {"ranks", ranks.size()},
              {"verdict", record.choice != nullptr ? record.choice->line : ""},
              {"rows", json::array()}};
  if (ranks.empty() || !ranks.front().report) return one;
  const bench::RankReport& first = *ranks.front().report;
  one["library"] = first.library;
  one["network"] = first.network;
  one["device"] = first.device;
  for (const bench::Row& row : first.rows) one["rows"].push_back(describe(row));
  return one;
}

json describe_expected(const CheckRecord& record, const bench::MeasuredBusbw& one) {
  const bool is_world = one.nodes == record.log->world_nodes();
  if (is_world && record.min_busbw) {
    return {{"busbw", *record.min_busbw},
            {"minimum", *record.min_busbw},
            {"kind", "minimum"},
            {"source", "--check-min-busbw"}};
  }
  const auto expected = bench::expect_busbw(
      *record.profile, {one.operation, one.nodes, one.ranks_per_node, one.bytes, {}});
  const bool applies =
      expected && (record.backend != "fabric" || expected->kind == bench::FigureKind::kRecorded);
  if (!applies) return {};
  return {{"busbw", expected->busbw},
          {"minimum", expected->minimum},
          {"kind", to_string(expected->kind)},
          {"source", expected->source}};
}

json describe_busbw(const CheckRecord& record) {
  std::vector<std::string> unfit;
  if (record.choice != nullptr) {
    for (const Unfit& one : record.choice->unfit) unfit.push_back(record.hosts[one.place]);
  }
  std::vector<bench::MeasuredBusbw> all = record.log->busbw(unfit);
  // Of a world with unfit nodes in it there is only what they made of it.
  for (const bench::MeasuredBusbw& one : record.log->busbw({})) {
    const auto same_shape = [&one](const bench::MeasuredBusbw& other) {
      return one.nodes == other.nodes && one.bytes == other.bytes;
    };
    if (std::none_of(all.begin(), all.end(), same_shape)) all.push_back(one);
  }
  json rows = json::array();
  for (const bench::MeasuredBusbw& one : all) {
    json row = {{"operation", one.operation},
                {"nodes", one.nodes},
                {"ranks_per_node", one.ranks_per_node},
                {"bytes", one.bytes},
                {"busbw", one.busbw}};
    json expected = describe_expected(record, one);
    if (!expected.is_null()) row["expected"] = std::move(expected);
    rows.push_back(std::move(row));
  }
  return rows;
}

json describe_rounds(const CheckLog& log) {
  json rounds = json::array();
  for (const LoggedRound& round : log.rounds()) {
    rounds.push_back({{"number", round.number},
                      {"kind", to_string(round.kind)},
                      {"groups", round.groups},
                      {"seconds", std::chrono::duration<double>(round.took).count()}});
  }
  return rounds;
}

json describe_pairs(const CheckLog& log) {
  json pairs = json::array();
  for (const LoggedPair& pair : log.pairs()) {
    json one = {{"a", pair.a},
                {"b", pair.b},
                {"round", pair.round},
                {"kind", to_string(pair.kind)},
                {"outcome", word_of(pair.outcome)}};
    if (pair.outcome == bench::localise::OutcomeKind::kMeasured) one["busbw"] = pair.busbw;
    pairs.push_back(std::move(one));
  }
  return pairs;
}

void add_choice(const CheckRecord& record, json& document) {
  const Choice& choice = *record.choice;
  const auto host = [&record](std::uint32_t place) { return record.hosts[place]; };
  const auto hosts = [&](const std::vector<std::uint32_t>& places) {
    json list = json::array();
    for (const std::uint32_t place : places) list.push_back(host(place));
    return list;
  };
  document["unfit"] = json::array();
  for (const Unfit& one : choice.unfit) {
    json gpus = json::array();
    for (const LocalRank gpu : one.gpus) gpus.push_back(value_of(gpu));
    document["unfit"].push_back({{"host", host(one.place)},
                                 {"fault", to_string(one.fault)},
                                 {"ratio", one.ratio},
                                 {"confidence", one.confidence},
                                 {"gpus", std::move(gpus)},
                                 {"evidence", one.evidence}});
  }
  document["links"] = json::array();
  for (const bench::localise::BadLink& link : choice.links) {
    document["links"].push_back({{"a", host(value_of(link.a))},
                                 {"b", host(value_of(link.b))},
                                 {"fault", to_string(link.fault)},
                                 {"ratio", link.ratio},
                                 {"confidence", link.confidence},
                                 {"evidence", link.evidence}});
  }
  document["one_of"] = json::array();
  for (const bench::localise::OneOf& one : choice.one_of) {
    json names = json::array();
    for (const NodeIndex node : one.nodes) names.push_back(host(value_of(node)));
    document["one_of"].push_back(
        {{"hosts", std::move(names)}, {"fault", to_string(one.fault)}, {"evidence", one.evidence}});
  }
  document["doubtful"] = hosts(choice.doubtful);
  document["unmeasured"] = hosts(choice.unmeasured);
  document["odd"] = hosts(choice.odd);
  document["chosen"] = hosts(choice.chosen);
  document["spares"] = hosts(choice.spares);
  document["notes"] = choice.evidence;
}

}  // namespace

std::string print_health_report(const CheckRecord& record) {
  json document = {{"version", kHealthReportVersion},
                   {"exit_code", record.exit_code},
                   {"verdict", word_of(record.exit_code)},
                   {"job", record.job},
                   {"when", record.when},
                   {"seconds", record.seconds},
                   {"profile", record.profile->name},
                   {"nodes", json::array()},
                   {"disagreements", json::array()},
                   {"left_out", record.left_out},
                   {"commands", record.commands}};
  if (record.health != nullptr) {
    for (const NodeHealth& node : record.health->nodes()) {
      document["nodes"].push_back(describe(node));
    }
    for (const health::Disagreement& one : record.health->disagreements()) {
      document["disagreements"].push_back(describe(one));
    }
  }
  if (record.log != nullptr) {
    document["measurement"] = describe_measurement(record);
    document["busbw"] = describe_busbw(record);
    document["rounds"] = describe_rounds(*record.log);
    document["pairs"] = describe_pairs(*record.log);
  }
  if (record.choice != nullptr) add_choice(record, document);
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace muster::launcher
