#include "collectives-bench/nccl_lines.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace muster::bench {

namespace {

constexpr std::string_view kSocket = "Socket";
constexpr std::size_t kMaxWord = 64;
// As NCCL_ALGO and the profiles spell them. Before 2.24 their number was told.
constexpr std::array<std::string_view, 7> kAlgorithms = {
    "Tree", "Ring", "CollnetDirect", "CollnetChain", "NVLS", "NVLSTree", "PAT"};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// What follows `mark`, in whatever case it is spelt; empty when it is not there.
std::string_view after(std::string_view line, std::string_view mark) {
  const auto found = std::search(line.begin(), line.end(), mark.begin(), mark.end(),
                                 [](char a, char b) { return lower(a) == lower(b); });
  if (found == line.end()) return {};
  return line.substr(static_cast<std::size_t>(found - line.begin()) + mark.size());
}

// Up to a separator; plain characters only, since it is printed.
std::string word_of(std::string_view text, std::string_view separators) {
  std::string word(text.substr(0, std::min(text.find_first_of(separators), kMaxWord)));
  std::erase_if(word, [](char c) { return c < 0x20 || c > 0x7e; });
  while (word.ends_with(' ')) word.pop_back();
  return word;
}

std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void keep_network(NcclFacts& facts, const std::string& network) {
  if (!network.empty() && facts.network != kSocket) facts.network = network;
}

// "NVLS_TREE" is told of what is spelt NVLSTree elsewhere.
bool is_same_name(std::string_view told, std::string_view name) {
  std::string plain(told);
  std::erase(plain, '_');
  return plain.size() == name.size() &&
         std::equal(plain.begin(), plain.end(), name.begin(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

std::string algorithm_of(std::string_view told) {
  const std::string word = word_of(told, " ,");
  std::size_t number = 0;
  const auto read = std::from_chars(word.data(), word.data() + word.size(), number);
  if (read.ec == std::errc()) {
    return number < kAlgorithms.size() ? std::string(kAlgorithms[number]) : std::string();
  }
  for (const std::string_view name : kAlgorithms) {
    if (is_same_name(word, name)) return std::string(name);
  }
  return word;
}

std::uint64_t number_at_end(std::string_view text) {
  const std::size_t start = text.find_last_not_of("0123456789") + 1;  // npos + 1 is 0
  return number_of(text.substr(start));
}

// The largest size's is kept: `largest` is that size so far.
void read_algorithm(std::string_view line, std::uint64_t& largest, NcclFacts& facts) {
  constexpr std::string_view kMark = " Bytes -> Algo ";
  const std::string_view told = after(line, kMark);
  if (told.empty()) return;
  const std::size_t mark = line.size() - told.size() - kMark.size();
  const std::uint64_t bytes = number_at_end(line.substr(0, mark));
  if (bytes < largest) return;
  largest = bytes;
  facts.algorithm = algorithm_of(told);
}

void read_line(std::string_view line, NcclFacts& facts) {
  if (const auto rest = after(line, "NCCL version "); !rest.empty()) {
    facts.version = word_of(rest, " +,");
  }
  if (const auto rest = after(line, "Initializing aws-ofi-nccl "); !rest.empty()) {
    facts.plugin_version = word_of(rest, " ,");
  }
  if (const auto rest = after(line, "selected provider is "); !rest.empty()) {
    facts.provider = word_of(rest, " ,");
    facts.nics = number_of(after(rest, "(found "));
  }
  if (const auto rest = after(line, "Using network "); !rest.empty()) {
    std::string network = word_of(rest, ",");
    if (network.starts_with("AWS ")) network.erase(0, 4);
    keep_network(facts, network);
  }
  if (const auto rest = after(line, "NVLS multicast support is "); !rest.empty()) {
    facts.nvls = rest.starts_with("not ") ? "not available" : "available";
  }
  if (const auto rest = after(line, " via NET/"); !rest.empty()) {
    ++facts.net_channels;
    if (!after(rest, "/GDRDMA").empty() || rest.ends_with("/GDRDMA")) ++facts.direct_channels;
  }
}

}  // namespace

NcclFacts read_nccl_lines(std::string_view text) {
  NcclFacts facts;
  std::uint64_t largest = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    read_line(text.substr(0, end), facts);
    read_algorithm(text.substr(0, end), largest, facts);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return facts;
}

void merge_nccl_facts(NcclFacts& into, const NcclFacts& other) {
  if (!other.version.empty()) into.version = other.version;
  if (!other.plugin_version.empty()) into.plugin_version = other.plugin_version;
  if (!other.provider.empty()) {
    into.provider = other.provider;
    into.nics = other.nics;
  }
  keep_network(into, other.network);
  into.net_channels += other.net_channels;
  into.direct_channels += other.direct_channels;
  if (!other.nvls.empty() && into.nvls != "not available") into.nvls = other.nvls;
  if (into.algorithm.empty()) into.algorithm = other.algorithm;
}

std::string describe_network(const NcclFacts& facts) {
  std::string text = facts.network;
  if (text.empty() || facts.network == kSocket) return text;
  std::string more = facts.provider;
  if (!facts.plugin_version.empty()) {
    more += (more.empty() ? "aws-ofi-nccl " : ", aws-ofi-nccl ") + facts.plugin_version;
  }
  return more.empty() ? text : text + " (" + more + ")";
}

}  // namespace muster::bench
