// Findings: what one probe finds at its subjects (GPUs, NICs), folded into one ProbeResult. Of use
// to the judge_*.cc files only. Pure.
#pragma once

#include <string>
#include <vector>

#include "launcher/health/probes/probe_result.h"

namespace muster::health {

class Findings {
 public:
  explicit Findings(std::string probe) : probe_(std::move(probe)) {}

  void pass() { ++judged_; }
  // `subject` may be "": the node as a whole.
  void warn(const std::string& subject, const std::string& text);
  void fail(const std::string& subject, const std::string& text);
  void skip(const std::string& why);

  // The worst answer, with the texts of that answer, same ones together: "GPU 0,3: 2 links down".
  // Something judged and nothing found: PASS; nothing judged: SKIP with its first reason.
  ProbeResult result(std::string value) const;

 private:
  struct Finding {
    std::string text;
    std::vector<std::string> subjects;
  };
  static void add(std::vector<Finding>& list, const std::string& subject, const std::string& text);
  static std::string text_of(const std::vector<Finding>& list);

  std::string probe_;
  std::vector<Finding> fails_;
  std::vector<Finding> warns_;
  std::string skipped_;
  std::size_t judged_ = 0;
};

}  // namespace muster::health
