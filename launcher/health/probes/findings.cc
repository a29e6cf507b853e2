#include "launcher/health/probes/findings.h"

#include <algorithm>
#include <utility>

namespace muster::health {

namespace {

constexpr std::size_t kMaxTexts = 4;     // different findings that are told
constexpr std::size_t kMaxSubjects = 8;  // names told with each

// "GPU 0,3,5", "rdmap79s0,rdmap80s0 and 3 more"
std::string names_of(const std::vector<std::string>& subjects) {
  constexpr std::string_view kGpu = "GPU ";
  std::string names;
  const std::size_t told = std::min(subjects.size(), kMaxSubjects);
  for (std::size_t i = 0; i < told; ++i) {
    const std::string& subject = subjects[i];
    const bool repeats = i > 0 && subject.starts_with(kGpu) && subjects[i - 1].starts_with(kGpu);
    if (i > 0) names += ',';
    names += repeats ? subject.substr(kGpu.size()) : subject;
  }
  if (told < subjects.size()) names += " and " + std::to_string(subjects.size() - told) + " more";
  return names;
}

}  // namespace

void Findings::add(std::vector<Finding>& list, const std::string& subject,
                   const std::string& text) {
  auto found = std::find_if(list.begin(), list.end(),
                            [&text](const Finding& finding) { return finding.text == text; });
  if (found == list.end()) found = list.insert(list.end(), Finding{text, {}});
  if (!subject.empty()) found->subjects.push_back(subject);
}

std::string Findings::text_of(const std::vector<Finding>& list) {
  std::string out;
  const std::size_t told = std::min(list.size(), kMaxTexts);
  for (std::size_t i = 0; i < told; ++i) {
    if (i > 0) out += "; ";
    if (!list[i].subjects.empty()) out += names_of(list[i].subjects) + ": ";
    out += list[i].text;
  }
  if (told < list.size()) out += "; and " + std::to_string(list.size() - told) + " more";
  return out;
}

void Findings::warn(const std::string& subject, const std::string& text) {
  add(warns_, subject, text);
}

void Findings::fail(const std::string& subject, const std::string& text) {
  add(fails_, subject, text);
}

void Findings::skip(const std::string& why) {
  if (skipped_.empty()) skipped_ = why;
}

ProbeResult Findings::result(std::string value) const {
  ProbeResult result{probe_, Answer::kSkip, std::move(value), skipped_, {}};
  const std::vector<Finding>& list = fails_.empty() ? warns_ : fails_;
  if (!list.empty()) {
    result.answer = fails_.empty() ? Answer::kWarn : Answer::kFail;
    result.reason = text_of(list);
    for (const Finding& finding : list) {
      for (const std::string& subject : finding.subjects) {
        const auto& known = result.subjects;
        if (std::find(known.begin(), known.end(), subject) == known.end()) {
          result.subjects.push_back(subject);
        }
      }
    }
  } else if (judged_ > 0) {
    result.answer = Answer::kPass;
    result.reason.clear();
  }
  return result;
}

}  // namespace muster::health
