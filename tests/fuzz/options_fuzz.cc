// The command line and the PET_ variables.
//
//   input = words, one a line | a line "--env--" | lines NAME=value
#include <algorithm>

#include "launcher/options/options.h"
#include "tests/fuzz/environment_text.h"
#include "tests/fuzz/input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster;
  constexpr std::string_view kBorder = "--env--\n";
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t border = text.find(kBorder);
  std::string_view lines = text.substr(0, border);
  std::vector<std::string> words;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    words.emplace_back(line);
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
  }
  const Environment environment = fuzz::environment_of(
      border == std::string_view::npos ? "" : text.substr(border + kBorder.size()));
  const auto parsed = options::parse_command_line(words, environment);
  if (!parsed) {
    FUZZ_REQUIRE(!parsed.error().message().empty());
    return 0;
  }
  const options::Options& options = parsed->options;
  FUZZ_REQUIRE(options.command != options::Command::kRun || !options.program.words.empty());
  FUZZ_REQUIRE(options.check.sizes.size() <= options::kMaxCheckSizes);
  FUZZ_REQUIRE(options.workers_per_node.count <= options::kMaxWorkersPerNode);
  static_cast<void>(options::check_against_step(options, {4, NodeIndex{1}, 1}));
  return 0;
}
