#include "launcher/plan/command.h"

namespace muster::plan {

Result<std::vector<std::string>> make_command(ProgramStart start,
                                              const std::vector<std::string>& words,
                                              const Environment& environment) {
  const bool module = start == ProgramStart::kModule;
  if (words.empty() || words[0].empty()) {
    return failure(ErrorCode::kInvalidArgument,
                   module ? "-m: no module given; write `muster -m package.module args...`"
                          : "no program given; write `muster [options] program args...`");
  }
  const bool named_script = start == ProgramStart::kByName && words[0].ends_with(".py");
  std::vector<std::string> command;
  if (module || named_script || start == ProgramStart::kScript) {
    const auto python = environment.get("PYTHON_EXEC").value_or("");
    command.emplace_back(python.empty() ? "python3" : python);
    command.emplace_back("-u");
    if (module) command.emplace_back("-m");
  }
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

}  // namespace muster::plan
