#include "rendezvous/note_limiter.h"

#include <algorithm>

namespace muster::rendezvous {

namespace {

// "refused 10.0.0.9:40001" and "refused [fe80::1]:40001" without the port, which is another each
// time.
std::string_view without_port(std::string_view name) {
  const std::size_t colon = name.rfind(':');
  if (colon == std::string_view::npos) return name;
  const std::string_view port = name.substr(colon + 1);
  const std::string_view host = name.substr(0, colon);
  const bool is_port = !port.empty() && port.find_first_not_of("0123456789") == port.npos;
  const bool has_port =
      host.ends_with(']') || host.substr(host.rfind(' ') + 1).find('.') != host.npos;
  return is_port && has_port ? host : name;
}

}  // namespace

std::vector<std::string> NoteLimiter::admit(std::string_view line, TimePoint now) {
  if (now - begun_ >= kForgetAfter) {
    subjects_.clear();
    others_ = {};
    begun_ = now;
  }
  Subject& subject = subject_of(line);
  ++subject.count;
  if (subject.count == subject.next_count) {
    subject.next_count *= 10;
    return {std::string(line) + " (" + std::to_string(subject.count) + " such remarks in " +
            std::to_string(std::chrono::ceil<std::chrono::seconds>(now - begun_).count()) + " s)"};
  }
  std::vector<std::string>& said = subject.said;
  if (said.size() == kSaidOfSubject || std::find(said.begin(), said.end(), line) != said.end())
    return {};
  said.emplace_back(line);
  return {said.back()};
}

NoteLimiter::Subject& NoteLimiter::subject_of(std::string_view line) {
  const std::string_view name = without_port(line.substr(0, line.find(": ")));
  const auto known = subjects_.find(name);
  if (known != subjects_.end()) return known->second;
  if (subjects_.size() == kMaxSubjects) return others_;
  return subjects_.emplace(name, Subject{}).first->second;
}

}  // namespace muster::rendezvous
