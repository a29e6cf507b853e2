// The captured p5 node as a folder of files, and the fake NVML, for tests of what looks at them.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "launcher/health/probes/gather.h"

namespace muster::health {

class P5Tree : public testing::Test {
 protected:
  P5Tree() {
    std::string name = (std::filesystem::temp_directory_path() / "muster_test_XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    unpack(P5_TREE);
    options_.roots = {path("sys"), path("proc"), path("dev"), root_.string()};
    options_.library = FAKE_NVML;
    options_.disks = {root_.string()};
    options_.driver_limit = options_.host_limit = Duration{30'000};
  }
  ~P5Tree() override {
    std::filesystem::remove_all(root_);
    ::unsetenv("MUSTER_FAKE_NVML");
  }

  std::string path(const std::string& name) const { return (root_ / name).string(); }

  void write(const std::string& name, std::string text) {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::replace(text.begin(), text.end(), '|', '\n');
    std::ofstream(root_ / name) << text << '\n';
  }

  void unpack(const char* file) {
    std::ifstream tree(file);
    for (std::string line; std::getline(tree, line);) {
      const std::size_t equals = line.find(" = ");
      if (line.empty() || line[0] == '#') continue;
      if (line.ends_with('/')) {
        std::filesystem::create_directories(root_ / line);
      } else {
        ASSERT_NE(equals, std::string::npos) << line;
        write(line.substr(0, equals), line.substr(equals + 3));
      }
    }
  }

  std::filesystem::path root_;
  LookOptions options_;
};

}  // namespace muster::health
