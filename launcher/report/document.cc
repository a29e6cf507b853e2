#include "launcher/report/document.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace muster::report {

namespace {

using nlohmann::json;

// Reads the members of one JSON object. The first thing wrong is kept in `problem`; what is absent,
// or comes after it, reads as empty.
class Fields {
 public:
  Fields(const json& object, std::string path, std::string& problem)
      : object_(object), path_(std::move(path)), problem_(problem) {
    if (!object.is_object()) complain(path_, object, "an object");
  }

  bool has(const char* key) const { return find(key) != nullptr; }

  std::string text(const char* key) const {
    const json* value = find(key);
    if (value == nullptr) return "";
    if (value->is_string()) return value->get<std::string>();
    complain(path_of(key), *value, "a text");
    return "";
  }

  bool flag(const char* key) const {
    const json* value = find(key);
    if (value == nullptr) return false;
    if (value->is_boolean()) return value->get<bool>();
    complain(path_of(key), *value, "true or false");
    return false;
  }

  std::optional<double> number(const char* key) const {
    const json* value = find(key);
    if (value == nullptr) return std::nullopt;
    const double number = value->is_number() ? value->get<double>() : -1;
    if (number >= 0 && std::isfinite(number)) return number;
    complain(path_of(key), *value, "a number of at least 0");
    return std::nullopt;
  }

  std::uint64_t count(const char* key) const {
    const json* value = find(key);
    if (value == nullptr) return 0;
    if (value->is_number_unsigned()) return value->get<std::uint64_t>();
    complain(path_of(key), *value, "a whole number of at least 0");
    return 0;
  }

  std::optional<std::int64_t> integer(const char* key) const {
    const json* value = find(key);
    if (value == nullptr) return std::nullopt;
    if (value->is_number_integer()) return value->get<std::int64_t>();
    complain(path_of(key), *value, "a whole number");
    return std::nullopt;
  }

  // Numbers count as texts: GPUs are given by their local rank.
  Texts texts(const char* key) const {
    Texts texts;
    for_each_value(key, [this, &texts](const json& value, const std::string& path) {
      if (value.is_string()) {
        texts.push_back(value.get<std::string>());
      } else if (value.is_number()) {
        texts.push_back(value.dump());
      } else {
        complain(path, value, "a text");
      }
    });
    return texts;
  }

  template <class Read>
  auto list(const char* key, Read read) const {
    std::vector<decltype(read(std::declval<const Fields&>()))> all;
    for_each_value(key, [this, &all, &read](const json& value, const std::string& path) {
      all.push_back(read(Fields(value, path, problem_)));
    });
    return all;
  }

  template <class Read>
  void within(const char* key, Read read) const {
    if (const json* value = find(key)) read(Fields(*value, path_of(key), problem_));
  }

  // Name and text of each member.
  std::vector<Fact> facts(const char* key) const {
    std::vector<Fact> facts;
    within(key, [&facts](const Fields& all) {
      if (!all.object_.is_object()) return;
      for (const auto& [name, value] : all.object_.items()) {
        facts.push_back({name, all.text(name.c_str())});
      }
    });
    return facts;
  }

 private:
  const json* find(const char* key) const {
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(key);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }

  std::string path_of(const std::string& key) const {
    return path_.empty() ? key : path_ + "." + key;
  }

  void complain(const std::string& path, const json& value, const char* expected) const {
    if (!problem_.empty()) return;
    problem_ = fmt::format("{}: {} is given, expected {}", path.empty() ? "the document" : path,
                           value.is_number() ? value.dump() : value.type_name(), expected);
  }

  template <class See>
  void for_each_value(const char* key, See see) const {
    const json* values = find(key);
    if (values == nullptr) return;
    if (!values->is_array()) return complain(path_of(key), *values, "a list");
    std::size_t index = 0;
    for (const json& value : *values) {
      see(value, fmt::format("{}[{}]", path_of(key), index++));
      if (!problem_.empty()) return;
    }
  }

  const json& object_;
  std::string path_;
  std::string& problem_;
};

Probe read_probe(const Fields& of) {
  return {of.text("probe"), of.text("answer"), of.text("value"), of.text("reason"),
          of.texts("subjects")};
}

Node read_node(const Fields& of) {
  return {of.text("host"), of.text("answer"), of.text("instance_id"), of.list("probes", read_probe),
          of.facts("facts")};
}

FactGroup read_fact_group(const Fields& of) {
  return {of.text("value"), of.texts("hosts")};
}

Disagreement read_disagreement(const Fields& of) {
  return {of.text("fact"), of.text("answer"), of.flag("has_majority"),
          of.list("groups", read_fact_group)};
}

Measurement read_measurement(const Fields& of) {
  return {of.text("backend"), of.count("ranks"), of.text("library"),
          of.text("network"), of.text("device"), of.text("verdict")};
}

// A row as muster-bench reports it: over all nodes, without an expectation.
Rate read_measured_row(const Fields& of) {
  Rate rate;
  rate.bytes = of.count("bytes");
  of.within("out_of_place",
            [&rate](const Fields& half) { rate.busbw = half.number("busbw").value_or(0); });
  return rate;
}

Rate read_rate(const Fields& of) {
  Rate rate;
  rate.operation = of.text("operation");
  rate.nodes = of.count("nodes");
  rate.ranks_per_node = of.count("ranks_per_node");
  rate.bytes = of.count("bytes");
  rate.busbw = of.number("busbw").value_or(0);
  of.within("expected", [&rate](const Fields& expected) {
    rate.expected = Expected{expected.number("busbw"), expected.number("minimum"),
                             expected.text("kind"), expected.text("source")};
  });
  return rate;
}

// An outcome that this page does not know is not taken for a measurement.
PairOutcome outcome_of(const std::string& word, bool has_busbw) {
  if (word == "hung") return PairOutcome::kHung;
  if (word == "wrong data") return PairOutcome::kWrongData;
  const bool is_measured = has_busbw && (word == "measured" || word.empty());
  return is_measured ? PairOutcome::kMeasured : PairOutcome::kNotMeasured;
}

PairResult read_pair(const Fields& of) {
  const std::optional<double> busbw = of.number("busbw");
  return {of.text("a"),
          of.text("b"),
          of.count("round"),
          of.text("kind") == "rails",
          outcome_of(of.text("outcome"), busbw.has_value()),
          busbw.value_or(0)};
}

Round read_round(const Fields& of) {
  return {of.count("number"), of.text("kind"), of.count("groups"), of.number("seconds")};
}

Suspect read_suspect(const Fields& of) {
  Suspect suspect{of.texts("hosts"),       of.text("fault"), of.number("ratio"),
                  of.number("confidence"), of.texts("gpus"), of.text("evidence")};
  for (const char* key : {"host", "a", "b"}) {
    if (of.has(key)) suspect.hosts.push_back(of.text(key));
  }
  return suspect;
}

void read_findings(const Fields& of, Document& document) {
  document.pairs = of.list("pairs", read_pair);
  document.rounds = of.list("rounds", read_round);
  document.unfit = of.list("unfit", read_suspect);
  document.links = of.list("links", read_suspect);
  document.one_of = of.list("one_of", read_suspect);
  document.doubtful = of.texts("doubtful");
  document.unmeasured = of.texts("unmeasured");
  document.odd = of.texts("odd");
  document.chosen = of.texts("chosen");
  document.spares = of.texts("spares");
  document.left_out = of.texts("left_out");
  document.commands = of.texts("commands");
  document.notes = of.texts("notes");
}

Document read_document(const Fields& of) {
  Document document;
  document.verdict = of.text("verdict");
  document.exit_code = of.integer("exit_code");
  document.profile = of.text("profile");
  document.job = of.text("job");
  document.when = of.text("when");
  document.seconds = of.number("seconds");
  document.nodes = of.list("nodes", read_node);
  document.disagreements = of.list("disagreements", read_disagreement);
  of.within("measurement", [&document](const Fields& measurement) {
    document.measurement = read_measurement(measurement);
    document.rates = measurement.list("rows", read_measured_row);
  });
  if (of.has("busbw")) document.rates = of.list("busbw", read_rate);
  read_findings(of, document);
  return document;
}

}  // namespace

Result<Document> parse_document(std::string_view json_document) {
  if (json_document.size() > kMaxDocumentBytes) {
    return failure(ErrorCode::kLimit,
                   fmt::format("the check's document has {} bytes, expected at most {}",
                               json_document.size(), kMaxDocumentBytes));
  }
  const json parsed = json::parse(json_document, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded()) {
    return failure(ErrorCode::kInvalidArgument,
                   "the check's document is no JSON; expected what muster check --json writes");
  }
  std::string problem;
  Document document = read_document(Fields(parsed, "", problem));
  if (!problem.empty()) {
    return failure(ErrorCode::kInvalidArgument, "the check's document: " + problem);
  }
  return document;
}

}  // namespace muster::report
