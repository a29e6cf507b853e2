#include "tests/launcher/report/documents.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>

#include "launcher/report/html_report.h"

namespace muster::report {

namespace {

using nlohmann::json;

json probe(const char* name, const char* answer, const char* value, const char* reason = "") {
  return {{"probe", name},
          {"answer", answer},
          {"value", value},
          {"reason", reason},
          {"subjects", json::array()}};
}

json node_of(std::size_t place) {
  return {{"host", host_of(place)},
          {"answer", "PASS"},
          {"instance_id", ""},
          {"facts", {{"kernel", "6.8.0"}, {"driver", "550.90.07"}}},
          {"probes",
           {probe("gpu_count", "PASS", "8"), probe("ecc", "PASS", "0"),
            probe("xid", "PASS", "0 events"), probe("nvlink", "PASS", "18 links"),
            probe("efa_count", "PASS", "32"), probe("disk", "PASS", "53.7 GiB free"),
            probe("clock_offset", "SKIP", "", "the clock offset was not asked")}}};
}

json rate(std::size_t nodes, std::uint64_t bytes, double busbw, double expected) {
  return {{"operation", "all_reduce"},
          {"nodes", nodes},
          {"ranks_per_node", 8},
          {"bytes", bytes},
          {"busbw", busbw},
          {"expected",
           {{"busbw", expected},
            {"minimum", expected * 0.9},
            {"kind", "recorded"},
            {"source", "baseline of 2026-11-01"}}}};
}

// Bandwidth grows with the size up to `best`.
void add_rates(json& document, std::size_t nodes, double best, double factor) {
  for (std::uint64_t bytes = 1 << 20; bytes <= 1ull << 30; bytes *= 4) {
    const double reached = static_cast<double>(bytes);
    const double share = reached / (reached + 24e6);
    document["busbw"].push_back(rate(nodes, bytes, best * share * factor, best * share));
  }
}

json pair_of(std::size_t a, std::size_t b, std::size_t round, const char* kind, double busbw) {
  return {{"a", host_of(a)}, {"b", host_of(b)},       {"round", round},
          {"kind", kind},    {"outcome", "measured"}, {"busbw", busbw}};
}

// A figure that differs a little from pair to pair, always the same.
double wobble(std::size_t a, std::size_t b) {
  return 1 + (static_cast<double>((a * 31 + b * 17) % 21) - 10) / 500;
}

void add_rounds_of_pairs(json& document, std::size_t nodes, std::size_t rounds) {
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < nodes / 2; ++i) {  // the circle method
      const std::size_t a = i == 0 ? nodes - 1 : (round + i) % (nodes - 1);
      const std::size_t b = (round + nodes - 1 - i) % (nodes - 1);
      const bool has_slow = std::max(a, b) == nodes - 1;
      document["pairs"].push_back(
          pair_of(a, b, round + 2, "pairs", (has_slow ? 40.1 : 97.6) * wobble(a, b)));
    }
  }
}

json base_document(std::size_t nodes) {
  json document = {
      {"version", 2},           {"exit_code", 0},         {"verdict", "fit"},
      {"profile", "p5"},        {"job", "4711.0"},        {"when", "2026-11-23T07:12:03Z"},
      {"seconds", 12.3},        {"nodes", json::array()}, {"disagreements", json::array()},
      {"busbw", json::array()}, {"pairs", json::array()}};
  for (std::size_t i = 0; i < nodes; ++i) document["nodes"].push_back(node_of(i));
  document["measurement"] = {{"backend", "nccl"},
                             {"ranks", nodes * 8},
                             {"library", "NCCL 2.27.3"},
                             {"network", "AWS Libfabric"},
                             {"device", "NVIDIA H100 80GB HBM3"},
                             {"verdict", "nccl all_reduce 1 GiB busbw 341 GB/s: fit"},
                             {"rows", json::array()}};
  document["rounds"] = {{{"number", 0}, {"kind", "intra"}, {"groups", nodes}, {"seconds", 2.1}},
                        {{"number", 1}, {"kind", "world"}, {"groups", 1}, {"seconds", 3.4}}};
  return document;
}

}  // namespace

std::string host_of(std::size_t place) {
  return "node" + std::to_string(place + 1);
}

json healthy_document(std::size_t nodes) {
  json document = base_document(nodes);
  add_rates(document, nodes, 350, 0.975);
  add_rates(document, 1, 478, 0.99);
  return document;
}

json slow_node_document(std::size_t nodes) {
  json document = base_document(nodes);
  const std::string slow = host_of(nodes - 1);
  document["exit_code"] = 83;
  document["verdict"] = "unfit";
  document["measurement"]["verdict"] = "nccl all_reduce 1 GiB busbw 142 GB/s (minimum 315)";
  add_rates(document, nodes, 350, 0.41);
  add_rates(document, 1, 478, 0.99);
  add_rates(document, 2, 97.6, 0.98);
  add_rounds_of_pairs(document, nodes, std::min<std::size_t>(nodes - 1, 7));
  document["rounds"].push_back(
      {{"number", 2}, {"kind", "pairs"}, {"groups", nodes / 2}, {"seconds", 4.2}});
  document["rounds"].push_back(
      {{"number", 3}, {"kind", "confirm"}, {"groups", 1}, {"seconds", 2.6}});
  document["unfit"] = {{{"host", slow},
                        {"fault", "slow"},
                        {"ratio", 0.41},
                        {"confidence", 0.999},
                        {"gpus", {3}},
                        {"evidence", slow + ": 40.1 GB/s with 3 good partners that reach 97.6 GB/s "
                                            "among themselves (41 %)"}}};
  document["left_out"] = {slow};
  document["commands"] = {
      "scontrol update nodename=" + slow + " state=drain reason=\"muster: slow\"",
      "sbatch --exclude=" + slow + " train.sbatch"};
  document["nodes"].back()["answer"] = "FAIL";
  document["nodes"].back()["probes"][2] =
      probe("xid", "FAIL", "3 events",
            "XID 79 on GPU 3: the GPU has fallen off the bus; replace the node");
  document["nodes"].front()["answer"] = "WARN";
  document["nodes"].front()["probes"][5] =
      probe("disk", "WARN", "3.1 GiB free", "the disk of /tmp is nearly full; expected 10 GiB");
  document["disagreements"] = {{{"fact", "driver"},
                                {"answer", "WARN"},
                                {"has_majority", true},
                                {"groups",
                                 {{{"value", "550.90.07"}, {"hosts", {"node1", "node2", "node3"}}},
                                  {{"value", "535.183.01"}, {"hosts", {slow}}}}}}};
  return document;
}

json hung_document() {
  json document = base_document(4);
  document["exit_code"] = 84;
  document["verdict"] = "not measured";
  document["pairs"] = {pair_of(0, 1, 2, "pairs", 97), pair_of(2, 3, 2, "pairs", 98),
                       pair_of(1, 2, 3, "pairs", 96), pair_of(1, 2, 4, "confirm", 0),
                       pair_of(0, 3, 3, "pairs", 0),  pair_of(1, 3, 4, "pairs", 0)};
  document["pairs"][3]["outcome"] = "hung";
  document["pairs"][3].erase("busbw");
  document["pairs"][4]["outcome"] = "wrong data";
  document["pairs"][5]["outcome"] = "not measured";
  document["one_of"] = {{{"hosts", {"node2", "node3"}},
                         {"fault", "hung"},
                         {"evidence", "no report at the deadline"}}};
  document["unmeasured"] = {"node4"};
  return document;
}

json all_pairs_document(std::size_t nodes) {
  json document = base_document(nodes);
  for (std::size_t a = 0; a < nodes; ++a) {
    for (std::size_t b = a + 1; b < nodes; ++b) {
      const double share =
          1.1 - 0.8 * static_cast<double>((b * 7) % nodes) / static_cast<double>(nodes);
      document["pairs"].push_back(pair_of(a, b, 2, "pairs", 97 * share * wobble(a, b)));
    }
  }
  return document;
}

std::string page_of(const json& document) {
  const Result<std::string> page = print_html_report(document.dump());
  EXPECT_TRUE(page) << page.error().message();
  return page.value_or("");
}

std::size_t count_of(const std::string& page, const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = page.find(text); at != std::string::npos; at = page.find(text, at + 1))
    ++count;
  return count;
}

std::string between(const std::string& page, const std::string& begin, const std::string& end) {
  const std::size_t from = page.find(begin);
  if (from == std::string::npos) return "";
  const std::size_t to = page.find(end, from + begin.size());
  return to == std::string::npos ? "" : page.substr(from, to - from);
}

}  // namespace muster::report
