#include "slurm/hostlist.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "slurm/scanner.h"

namespace muster::slurm {

namespace {

struct Range {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::size_t width = 0;  // of the low number as written; shorter numbers get leading zeros

  std::uint64_t count() const { return high - low + 1; }
  std::size_t longest() const { return std::max(width, std::to_string(high).size()); }
};

struct Part {
  std::string prefix;
  std::vector<Range> ranges;

  std::uint64_t count() const {
    std::uint64_t sum = 0;
    for (const Range& range : ranges) sum += range.count();
    return sum;
  }
  std::size_t longest() const {
    std::size_t digits = 0;
    for (const Range& range : ranges) digits = std::max(digits, range.longest());
    return prefix.size() + digits;
  }
};

struct Number {
  std::uint64_t value = 0;
  std::size_t width = 0;
};

bool is_separator(char byte) {
  return byte == ',' || byte == ' ' || byte == '\t' || byte == '\n';
}

bool may_stand_in_a_name(char byte) {
  return static_cast<unsigned char>(byte) > 0x20 && byte != 0x7f && byte != ',' && byte != '[' &&
         byte != ']';
}

std::string too_many_hosts() {
  return "more than " + std::to_string(kMaxHosts) + " hosts";
}

std::string name_too_long() {
  return "a name longer than " + std::to_string(kMaxHostName) + " bytes";
}

Result<Number> read_number(Scanner& scanner) {
  const std::size_t begin = scanner.position();
  const std::string_view digits = scanner.take_digits();
  if (digits.empty()) return failure(scanner.expected("a number"));
  if (digits.size() > kMaxNumberDigits) {
    return failure(scanner.beyond_limit(
        begin, "a number of more than " + std::to_string(kMaxNumberDigits) + " digits"));
  }
  Number number{0, digits.size()};
  for (const char digit : digits) {
    number.value = number.value * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return number;
}

Result<Range> read_range(Scanner& scanner) {
  MUSTER_TRY(low, read_number(scanner));
  if (!scanner.accept('-')) return Range{low.value, low.value, low.width};
  const std::size_t begin = scanner.position();
  MUSTER_TRY(high, read_number(scanner));
  if (high.value < low.value) {
    return failure(scanner.expected_at(begin, "a number not below " + std::to_string(low.value)));
  }
  if (high.value - low.value >= kMaxHosts) {
    return failure(scanner.beyond_limit(begin, too_many_hosts()));
  }
  return Range{low.value, high.value, low.width};
}

// After the '['.
Result<std::vector<Range>> read_bracket(Scanner& scanner) {
  std::vector<Range> ranges;
  do {
    MUSTER_TRY(range, read_range(scanner));
    ranges.push_back(range);
  } while (scanner.accept(','));
  if (!scanner.accept(']')) {
    return failure(scanner.expected(ranges.back().low == ranges.back().high ? "'-', ',' or ']'"
                                                                            : "',' or ']'"));
  }
  return ranges;
}

std::string read_name(Scanner& scanner) {
  std::string name;
  while (!scanner.at_end() && may_stand_in_a_name(scanner.peek())) {
    name += scanner.peek();
    scanner.skip();
  }
  return name;
}

std::vector<std::string> write_out(const Part& part) {
  std::vector<std::string> names;
  for (const Range& range : part.ranges) {
    for (std::uint64_t value = range.low; value <= range.high; ++value) {
      std::string digits = std::to_string(value);
      if (digits.size() < range.width) digits.insert(0, range.width - digits.size(), '0');
      names.push_back(part.prefix + digits);
    }
  }
  return names;
}

// The last part runs fastest, then the first, the second, and so on.
std::vector<std::string> combine(const std::vector<Part>& parts, std::uint64_t count) {
  std::vector<std::vector<std::string>> choices;
  for (const Part& part : parts) choices.push_back(write_out(part));
  const std::size_t last = parts.size() - 1;
  std::vector<std::string> names;
  names.reserve(count);
  std::vector<std::size_t> chosen(parts.size());
  for (std::uint64_t number = 0; number < count; ++number) {
    std::uint64_t rest = number;
    chosen[last] = rest % choices[last].size();
    rest /= choices[last].size();
    for (std::size_t place = 0; place < last; ++place) {
      chosen[place] = rest % choices[place].size();
      rest /= choices[place].size();
    }
    std::string name;
    for (std::size_t place = 0; place <= last; ++place) name += choices[place][chosen[place]];
    names.push_back(std::move(name));
  }
  return names;
}

// The brackets of an item; `prefix` was read, the scanner stands on its '['.
Result<std::vector<Part>> read_parts(Scanner& scanner, std::string prefix) {
  std::vector<Part> parts;
  while (scanner.accept('[')) {
    MUSTER_TRY(ranges, read_bracket(scanner));
    parts.push_back(Part{std::move(prefix), std::move(ranges)});
    const std::size_t begin = scanner.position();
    prefix = read_name(scanner);
    if (!prefix.empty() && scanner.peek() != '[') {
      return failure(scanner.expected_at(begin, "',' or the end after the last bracket"));
    }
  }
  return parts;
}

// Refuses before anything is written out, so that a short text cannot fill the memory.
Result<std::uint64_t> count_names(const Scanner& scanner, const std::vector<Part>& parts,
                                  std::size_t begin, std::size_t already) {
  std::uint64_t count = 1;
  std::size_t length = 0;
  for (const Part& part : parts) {
    count *= part.count();
    if (count + already > kMaxHosts) {
      return failure(scanner.beyond_limit(begin, too_many_hosts()));
    }
    length += part.longest();
  }
  if (length > kMaxHostName) return failure(scanner.beyond_limit(begin, name_too_long()));
  return count;
}

Status read_item(Scanner& scanner, std::vector<std::string>& names) {
  const std::size_t begin = scanner.position();
  std::string name = read_name(scanner);
  if (scanner.peek() == '[') {
    MUSTER_TRY(parts, read_parts(scanner, std::move(name)));
    MUSTER_TRY(count, count_names(scanner, parts, begin, names.size()));
    for (std::string& full : combine(parts, count)) names.push_back(std::move(full));
  } else if (name.empty()) {
    return failure(scanner.expected("a host name"));
  } else if (name.size() > kMaxHostName) {
    return failure(scanner.beyond_limit(begin, name_too_long()));
  } else {
    names.push_back(std::move(name));
    if (names.size() > kMaxHosts) return failure(scanner.beyond_limit(begin, too_many_hosts()));
  }
  if (!scanner.at_end() && !is_separator(scanner.peek())) {
    return failure(scanner.expected("',' or the end"));
  }
  return {};
}

}  // namespace

Result<std::vector<std::string>> expand_hostlist(std::string_view list) {
  Scanner scanner("hostlist", list);
  std::vector<std::string> names;
  while (!scanner.at_end()) {
    if (is_separator(scanner.peek())) {
      scanner.skip();
    } else {
      MUSTER_RETURN_IF_ERROR(read_item(scanner, names));
    }
  }
  return names;
}

}  // namespace muster::slurm
