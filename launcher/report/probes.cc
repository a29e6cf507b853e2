#include "launcher/report/probes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include "launcher/report/facts.h"
#include "launcher/report/text.h"

namespace muster::report {

namespace {

enum class Grade { kNone, kSkip, kPass, kWarn, kFail };  // the worst is the last

struct GradeLook {
  std::string_view style;
  std::string_view sign;
};

constexpr std::array<GradeLook, 5> kGradeLooks = {
    {{"", ""}, {"skip", "–"}, {"pass", "✓"}, {"warn", "!"}, {"fail", "✕"}}};

Grade grade_of(const std::string& answer) {
  if (answer == "FAIL") return Grade::kFail;
  if (answer == "WARN") return Grade::kWarn;
  return answer == "PASS" ? Grade::kPass : Grade::kSkip;
}

bool is_finding(const Probe& probe) {
  return grade_of(probe.answer) >= Grade::kWarn;
}

// --- findings ---

struct Finding {
  const Probe* probe = nullptr;
  Texts hosts;
};

std::vector<Finding> find_findings(const Document& document) {
  std::vector<Finding> findings;
  std::map<std::pair<std::array<std::string_view, 4>, Texts>, std::size_t> places;
  for (const Node& node : document.nodes) {
    for (const Probe& probe : node.probes) {
      if (!is_finding(probe)) continue;
      const std::array<std::string_view, 4> words = {probe.answer, probe.probe, probe.value,
                                                     probe.reason};
      const auto [place, is_new] = places.try_emplace({words, probe.subjects}, findings.size());
      if (is_new) findings.push_back({&probe, {}});
      findings[place->second].hosts.push_back(node.host);
    }
  }
  std::ranges::stable_sort(findings, [](const Finding& left, const Finding& right) {
    return grade_of(left.probe->answer) > grade_of(right.probe->answer);
  });
  return findings;
}

std::string print_findings(const Document& document) {
  const std::vector<Finding> findings = find_findings(document);
  if (findings.empty()) return "";
  std::string list;
  for (std::size_t i = 0; i < findings.size() && i < kMaxFindings; ++i) {
    const Finding& one = findings[i];
    list += fmt::format("<li><p>{} <b>{}</b> {} on <b>{}</b></p><p>{}</p>",
                        answer_tag(one.probe->answer), escape(one.probe->probe),
                        escape(one.probe->value), hosts_text(one.hosts, document.nodes.size()),
                        escape(one.probe->reason));
    if (!one.probe->subjects.empty()) {
      list += "<p class=\"note\">" + escape(fold_hosts(one.probe->subjects)) + "</p>";
    }
    list += "</li>";
  }
  std::string text = "<ul class=\"findings\">" + list + "</ul>";
  if (findings.size() > kMaxFindings) {
    text += fmt::format("<p class=\"note\">and {} more in the document</p>",
                        findings.size() - kMaxFindings);
  }
  return text;
}

// --- nodes x probes ---

struct Column {
  std::string name;
  Grade worst = Grade::kNone;
  std::size_t findings = 0;
};

struct Row {
  const Node* node = nullptr;
  Grade worst = Grade::kNone;
  std::size_t findings = 0;
  std::vector<Grade> grades;  // by column as first met
};

struct Matrix {
  std::vector<Column> columns;
  std::vector<std::size_t> order;  // of the columns that are shown, worst first
  std::vector<Row> rows;           // worst first
  Texts skipped;                   // probes that no node answered
};

template <class Graded>
bool is_worse(const Graded& left, const Graded& right) {
  return left.worst != right.worst ? left.worst > right.worst : left.findings > right.findings;
}

void add_probe(const Probe& probe, std::unordered_map<std::string, std::size_t>& places,
               Matrix& matrix, Row& row) {
  const auto [place, is_new] = places.try_emplace(probe.probe, matrix.columns.size());
  if (is_new) matrix.columns.push_back({probe.probe, Grade::kNone, 0});
  Column& column = matrix.columns[place->second];
  const Grade grade = grade_of(probe.answer);
  if (row.grades.size() <= place->second) row.grades.resize(place->second + 1, Grade::kNone);
  Grade& cell = row.grades[place->second];
  cell = std::max(cell, grade);
  column.worst = std::max(column.worst, grade);
  row.worst = std::max(row.worst, grade);
  if (!is_finding(probe)) return;
  ++column.findings;
  ++row.findings;
}

Matrix make_matrix(const Document& document) {
  Matrix matrix;
  std::unordered_map<std::string, std::size_t> places;
  for (const Node& node : document.nodes) {
    Row row;
    row.node = &node;
    for (const Probe& probe : node.probes) add_probe(probe, places, matrix, row);
    matrix.rows.push_back(std::move(row));
  }
  for (std::size_t i = 0; i < matrix.columns.size(); ++i) {
    if (matrix.columns[i].worst > Grade::kSkip) {
      matrix.order.push_back(i);
    } else {
      matrix.skipped.push_back(matrix.columns[i].name);
    }
  }
  std::ranges::stable_sort(matrix.order, [&matrix](std::size_t left, std::size_t right) {
    return is_worse(matrix.columns[left], matrix.columns[right]);
  });
  std::ranges::stable_sort(matrix.rows, is_worse<Row>);
  return matrix;
}

std::string print_row(const Matrix& matrix, const Row& row) {
  std::string cells =
      fmt::format(R"(<tr><th scope="row" class="host">{}</th><td>{}</td>)", escape(row.node->host),
                  row.node->answer.empty() ? "" : answer_tag(row.node->answer));
  for (const std::size_t column : matrix.order) {
    const Grade grade = column < row.grades.size() ? row.grades[column] : Grade::kNone;
    const GradeLook& look = kGradeLooks[static_cast<std::size_t>(grade)];
    cells += fmt::format(R"(<td class="{}">{}</td>)", look.style, look.sign);
  }
  return cells + "</tr>";
}

std::string print_rows(const Matrix& matrix, std::size_t begin, std::size_t end) {
  std::string text =
      R"(<div class="scroll" tabindex="0"><table class="matrix"><thead><tr><th>node</th><th></th>)";
  for (const std::size_t column : matrix.order) {
    text +=
        fmt::format(R"(<th scope="col"><span>{}</span></th>)", escape(matrix.columns[column].name));
  }
  text += "</tr></thead><tbody>";
  for (std::size_t i = begin; i < end; ++i) text += print_row(matrix, matrix.rows[i]);
  return text + "</tbody></table></div>";
}

std::string print_matrix(const Document& document) {
  const Matrix matrix = make_matrix(document);
  const std::size_t open = std::min(matrix.rows.size(), kOpenRows);
  std::string text = print_rows(matrix, 0, open);
  if (open < matrix.rows.size()) {
    text += fmt::format("<details><summary>{} more</summary>{}</details>",
                        count_text(matrix.rows.size() - open, "node"),
                        print_rows(matrix, open, matrix.rows.size()));
  }
  text += R"(<p class="note">✕ FAIL &nbsp; ! WARN &nbsp; ✓ PASS &nbsp; – SKIP)";
  if (!matrix.skipped.empty()) {
    std::string names;
    for (const std::string& name : matrix.skipped) names += (names.empty() ? "" : ", ") + name;
    text += fmt::format("<br>Skipped on every node, and not in the table: {}", escape(names));
  }
  return text + "</p>";
}

// --- passes and skips ---

std::string print_passes(const Document& document) {
  Spread spread;
  for (const Node& node : document.nodes) {
    for (const Probe& probe : node.probes) {
      if (is_finding(probe)) continue;
      const bool has_both = !probe.value.empty() && !probe.reason.empty();
      spread.add(probe.probe, probe.answer, probe.value + (has_both ? ": " : "") + probe.reason,
                 node.host);
    }
  }
  if (spread.is_empty()) return "";
  return "<details><summary>What passed, what was skipped and why</summary>" +
         spread.print(document.nodes.size()) + "</details>";
}

}  // namespace

std::string print_probes(const Document& document) {
  if (document.nodes.empty()) return "";
  return "<section><h2>Probes</h2>" + print_findings(document) + print_matrix(document) +
         print_passes(document) + "</section>";
}

}  // namespace muster::report
