#include "launcher/health/visible_devices.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace muster::health {

namespace {

using Names = std::vector<std::string>;

constexpr std::string_view kGpuPrefix = "GPU-";
constexpr std::string_view kMigPrefix = "MIG-";

std::vector<std::string_view> split(std::string_view list) {
  std::vector<std::string_view> words;
  while (true) {
    const std::size_t comma = list.find(',');
    std::string_view word = list.substr(0, comma);
    while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
    while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
    words.push_back(word);
    if (comma == std::string_view::npos) return words;
    list.remove_prefix(comma + 1);
  }
}

template <class T>
bool has_duplicate(std::vector<T> values) {
  std::sort(values.begin(), values.end());
  return std::adjacent_find(values.begin(), values.end()) != values.end();
}

std::optional<std::uint64_t> parse_number(std::string_view word) {
  if (!word.empty() && word.front() == '+') word.remove_prefix(1);
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(word.data(), word.data() + word.size(), number);
  if (parsed.ec != std::errc()) return std::nullopt;
  return number;
}

// Twice the same is looked for before what is there: PyTorch counts "0,9,0" as none on two GPUs.
Names choose_by_number(const std::vector<std::string_view>& words, const Names& present) {
  std::vector<std::uint64_t> numbers;
  for (const std::string_view word : words) {
    const auto number = parse_number(word);
    if (!number) break;
    numbers.push_back(*number);
  }
  if (has_duplicate(numbers)) return {};
  Names chosen;
  for (const std::uint64_t number : numbers) {
    if (number >= present.size()) break;
    chosen.push_back(present[number]);
  }
  return chosen;
}

// nullptr when no GPU's UUID begins so, or several do.
const std::string* find_only(std::string_view prefix, const Names& present) {
  const std::string* found = nullptr;
  for (const std::string& gpu : present) {
    if (!gpu.starts_with(prefix)) continue;
    if (found != nullptr) return nullptr;
    found = &gpu;
  }
  return found;
}

Names choose_by_uuid(const std::vector<std::string_view>& words, const Names& present) {
  Names chosen;
  for (const std::string_view word : words) {
    if (!word.starts_with(kGpuPrefix)) break;
    const std::string* const gpu = find_only(word, present);
    if (gpu == nullptr) break;
    chosen.push_back(*gpu);
  }
  return has_duplicate(chosen) ? Names{} : chosen;
}

}  // namespace

GpuView view_gpus(std::optional<std::string_view> list, const Names& present) {
  if (!list || present.empty()) return {present, present};
  const std::vector<std::string_view> words = split(*list);
  if (words.front().starts_with(kMigPrefix)) {
    GpuView view{{std::string(words.front())}, present};
    view.reachable.push_back(view.visible.front());
    return view;
  }
  if (words.front().starts_with(kGpuPrefix)) return {choose_by_uuid(words, present), present};
  return {choose_by_number(words, present), present};
}

}  // namespace muster::health
