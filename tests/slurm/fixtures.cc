#include "tests/slurm/fixtures.h"

#include <fstream>
#include <string>

#include "rendezvous/base/check.h"

namespace muster::slurm {

std::map<unsigned, Environment> load_fixture(std::string_view shape) {
  std::ifstream file(std::string(MUSTER_SLURM_FIXTURES) + "/" + std::string(shape) + ".env");
  MUSTER_CHECK(file.is_open());
  Environment shared;
  std::map<unsigned, Environment> tasks;
  Environment* current = &shared;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#' || line == "[all]") continue;
    if (line.rfind("[task ", 0) == 0) {
      const auto task = static_cast<unsigned>(std::stoul(line.substr(6)));
      current = &tasks.emplace(task, shared).first->second;
      continue;
    }
    const std::size_t equals = line.find('=');
    MUSTER_CHECK(equals != std::string::npos);
    current->set(line.substr(0, equals), line.substr(equals + 1));
  }
  MUSTER_CHECK(!tasks.empty());
  return tasks;
}

}  // namespace muster::slurm
