// drain_nodes [--hyperpod] HOST...: tells Slurm that the hosts are unfit, as `muster --drain` does
// at the end of a job. With a word that has a slash in it, that file remembers them instead. For
// tests/system/drain_test.py.
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "launcher/history/after_job.h"

extern char** environ;

int main(int argc, char** argv) {
  using namespace muster;
  history::AfterJob wishes;
  wishes.job = "4711.0";
  wishes.cluster.job = 4711;
  std::vector<history::UnfitRecord> unfit;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--hyperpod") {
      wishes.cluster.is_hyperpod = true;
    } else if (word.find('/') != std::string::npos) {
      wishes.memory_file = word;
    } else {
      unfit.push_back({word, "", {}, "slow", 0, "\"pairs\" `of` $HOME\\"});
    }
  }
  wishes.drain = wishes.memory_file.empty();
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  for (const std::string& line :
       history::act_on_unfit(unfit, wishes, now, Environment::from_block(environ),
                             process::OriginalLimits::capture())) {
    std::printf("%s\n", line.c_str());
  }
  return 0;
}
