#include "launcher/report/facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "launcher/report/text.h"

namespace muster::report {

namespace {

struct Look {
  std::string_view answer;
  std::string_view style;
};

constexpr std::array<Look, 4> kLooks = {
    {{"FAIL", "fail"}, {"WARN", "warn"}, {"PASS", "pass"}, {"SKIP", "skip"}}};

std::string print_disagreement(const Disagreement& one) {
  std::string rows;
  for (const FactGroup& group : one.groups) {
    rows += fmt::format(
        R"(<tr><td class="wrap">{}</td><td class="num">{}</td><td class="host wrap">{}</td></tr>)",
        group.value.empty() ? "<i>none</i>" : escape(group.value), group.hosts.size(),
        escape(fold_hosts(group.hosts)));
  }
  return fmt::format(
      "<h3>{} {}</h3><p class=\"note\">{}</p><div class=\"scroll\" "
      "tabindex=\"0\"><table><thead><tr>"
      "<th>value</th><th "
      "class=\"num\">nodes</th><th>which</th></tr></thead><tbody>{}</tbody></table>"
      "</div>",
      answer_tag(one.answer), escape(one.fact),
      one.has_majority ? "The first value is that of most nodes."
                       : "No value is that of most nodes, so none of them is the odd one.",
      rows);
}

}  // namespace

std::string hosts_text(const Texts& hosts, std::size_t nodes) {
  if (nodes > 1 && hosts.size() == nodes) return fmt::format("all {} nodes", nodes);
  return "<span class=\"host\">" + escape(fold_hosts(hosts)) + "</span>";
}

void Spread::add(const std::string& name, const std::string& answer, const std::string& text,
                 const std::string& host) {
  auto row = std::ranges::find(rows_, name, &Row::name);
  if (row == rows_.end()) row = rows_.insert(rows_.end(), Row{name, {}, {}});
  const auto same = std::ranges::find_if(row->values, [&answer, &text](const Value& value) {
    return value.answer == answer && value.text == text;
  });
  if (same != row->values.end()) {
    same->hosts.push_back(host);
  } else if (row->values.size() < kMaxValues) {
    row->values.push_back({text, answer, {host}});
  } else {
    row->others.push_back(host);
  }
}

std::string Spread::print(std::size_t nodes) const {
  std::string rows;
  for (const Row& row : rows_) {
    bool is_first = true;
    for (const Value& value : row.values) {
      rows += fmt::format(R"(<tr><th scope="row">{}</th><td>{}</td><td class="wrap">{}</td>)"
                          R"(<td class="wrap">{}</td></tr>)",
                          is_first ? escape(row.name) : "",
                          value.answer.empty() ? "" : answer_tag(value.answer), escape(value.text),
                          hosts_text(value.hosts, nodes));
      is_first = false;
    }
    if (row.others.empty()) continue;
    rows += fmt::format(
        R"(<tr><th></th><td></td><td class="note">other values</td><td class="wrap">{}</td></tr>)",
        hosts_text(row.others, nodes));
  }
  return R"(<div class="scroll" tabindex="0"><table><tbody>)" + rows + "</tbody></table></div>";
}

std::string answer_tag(const std::string& answer) {
  const auto look = std::ranges::find(kLooks, answer, &Look::answer);
  return fmt::format(R"(<span class="tag {}">{}</span>)",
                     look == kLooks.end() ? "skip" : look->style,
                     answer.empty() ? "?" : escape(answer));
}

std::string print_disagreements(const Document& document) {
  if (document.disagreements.empty()) {
    if (document.nodes.size() < 2) return "";
    return "<section><h2>Disagreements</h2><p class=\"note\">The nodes agree in all that is "
           "compared.</p></section>";
  }
  std::string text = "<section><h2>Disagreements</h2>";
  for (const Disagreement& one : document.disagreements) text += print_disagreement(one);
  return text + "</section>";
}

std::string print_facts(const Document& document) {
  Spread spread;
  for (const Node& node : document.nodes) {
    for (const Fact& fact : node.facts) spread.add(fact.name, "", fact.value, node.host);
    if (!node.instance_id.empty()) spread.add("instance", "", node.instance_id, node.host);
  }
  if (spread.is_empty()) return "";
  return "<section><details><summary>What the nodes say of themselves</summary>" +
         spread.print(document.nodes.size()) + "</details></section>";
}

}  // namespace muster::report
