#include "slurm/hostlist_compress.h"

#include <algorithm>
#include <cstdint>
#include <tuple>

#include "slurm/hostlist.h"

namespace muster::slurm {

namespace {

// A name split at the digits that end it.
struct NumberedName {
  std::string prefix;
  std::string digits;  // empty: the name is all prefix
  std::uint64_t value = 0;

  auto key() const { return std::tie(prefix, value, digits); }
  bool operator<(const NumberedName& other) const { return key() < other.key(); }
  bool operator==(const NumberedName& other) const { return key() == other.key(); }
};

NumberedName split(const std::string& host) {
  std::size_t start = host.size();
  while (start > 0 && host[start - 1] >= '0' && host[start - 1] <= '9') --start;
  const std::size_t digits = host.size() - start;
  if (digits == 0 || digits > kMaxNumberDigits) return {host, "", 0};
  return {host.substr(0, start), host.substr(start), std::stoull(host.substr(start))};
}

// Whether a range that begins with `first` and has reached `last` goes on with `next`: numbers of a
// range are padded to the width of its first.
bool continues(const NumberedName& first, const NumberedName& last, const NumberedName& next) {
  if (next.value != last.value + 1) return false;
  std::string expected = std::to_string(next.value);
  if (expected.size() < first.digits.size()) {
    expected.insert(0, first.digits.size() - expected.size(), '0');
  }
  return next.digits == expected;
}

// Names of one prefix, all with a number: "node[1-4,7]", or "node7" for a single one.
std::string fold(const std::vector<NumberedName>& names) {
  if (names.size() == 1) return names.front().prefix + names.front().digits;
  std::string ranges;
  for (std::size_t begin = 0; begin < names.size();) {
    std::size_t end = begin + 1;
    while (end < names.size() && continues(names[begin], names[end - 1], names[end])) ++end;
    if (!ranges.empty()) ranges += ',';
    ranges += names[begin].digits;
    if (end - begin > 1) ranges += '-' + names[end - 1].digits;
    begin = end;
  }
  return names.front().prefix + '[' + ranges + ']';
}

}  // namespace

std::string compress_hostlist(const std::vector<std::string>& hosts) {
  std::vector<NumberedName> names;
  for (const std::string& host : hosts) names.push_back(split(host));
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::string list;
  for (auto begin = names.begin(); begin != names.end();) {
    auto end = begin + 1;
    if (!begin->digits.empty()) {
      end = std::find_if(begin, names.end(), [&begin](const NumberedName& name) {
        return name.prefix != begin->prefix || name.digits.empty();
      });
    }
    if (!list.empty()) list += ',';
    list += fold({begin, end});
    begin = end;
  }
  return list;
}

}  // namespace muster::slurm
