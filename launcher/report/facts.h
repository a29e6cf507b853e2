// In what the nodes differ, and what each of them said of itself. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "launcher/report/document.h"

namespace muster::report {

inline constexpr std::size_t kMaxValues = 8;  // of one probe or fact; the rest is counted

// "all 4 nodes", or their names folded, as HTML.
std::string hosts_text(const Texts& hosts, std::size_t nodes);

// Who said the same, in the order of the first to say it.
class Spread {
 public:
  struct Value {
    std::string text;
    std::string answer;  // "" of a fact
    Texts hosts;
  };

  void add(const std::string& name, const std::string& answer, const std::string& text,
           const std::string& host);

  // A table of names and values; of `nodes` nodes in all.
  std::string print(std::size_t nodes) const;
  bool is_empty() const { return rows_.empty(); }

 private:
  struct Row {
    std::string name;
    std::vector<Value> values;
    Texts others;  // hosts of values beyond kMaxValues
  };
  std::vector<Row> rows_;
};

// <span class="tag fail">FAIL</span>; an answer that is none of the four is shown as it is.
std::string answer_tag(const std::string& answer);

// Sections of the page.
std::string print_disagreements(const Document& document);
std::string print_facts(const Document& document);  // "" where no node told one

}  // namespace muster::report
