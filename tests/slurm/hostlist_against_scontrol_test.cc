// expand_hostlist beside the real `scontrol show hostnames`, over listed and generated lists.
//
// Skips, with the reason, where there is no scontrol. A configuration file of two lines is enough
// for it: nothing listens and nothing is asked.

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <sstream>

#include "slurm/hostlist.h"
#include "slurm/hostlist_compress.h"

namespace muster::slurm {
namespace {

using Names = std::vector<std::string>;

constexpr unsigned kSeed = 20220508;
constexpr int kGenerated = 160;
constexpr int kMutated = 120;
constexpr int kCompressed = 80;

struct ClosePipe {
  void operator()(FILE* pipe) const { pclose(pipe); }
};

class HostlistAgainstScontrol : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("command -v scontrol >/dev/null 2>&1") != 0) {
      GTEST_SKIP() << "no scontrol in PATH (Debian: apt-get install slurm-client)";
    }
    std::string path = ::testing::TempDir() + "slurm.conf.XXXXXX";
    const int descriptor = mkstemp(path.data());
    ASSERT_GE(descriptor, 0) << path;
    close(descriptor);
    configuration_ = path;
    std::ofstream(path) << "ClusterName=none\nSlurmctldHost=localhost\n";
    ASSERT_EQ(ask("node[1-2]"), (Names{"node1", "node2"})) << "scontrol does not run here";
  }

  void TearDown() override {
    if (!configuration_.empty()) unlink(configuration_.c_str());
  }

  // What scontrol makes of it; nothing when it complains (it exits 0 even then).
  std::optional<Names> ask(const std::string& list) {
    const std::string command = "SLURM_CONF='" + configuration_ +
                                "' timeout 20 scontrol -- show hostnames '" + list + "' 2>&1";
    const std::unique_ptr<FILE, ClosePipe> pipe(popen(command.c_str(), "r"));
    std::string output;
    char block[4096];
    while (const std::size_t size = fread(block, 1, sizeof block, pipe.get())) {
      output.append(block, size);
    }
    if (output.find("rror") != std::string::npos) return std::nullopt;
    if (output.find("Invalid hostlist") != std::string::npos) return std::nullopt;
    Names names;
    std::istringstream lines(output);
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty()) names.push_back(line);
    }
    return names;
  }

  void expect_same(const std::string& list) {
    const auto ours = expand_hostlist(list);
    const auto theirs = ask(list);
    ASSERT_TRUE(ours.has_value()) << list << ": " << ours.error().message();
    ASSERT_TRUE(theirs.has_value()) << list << ": refused by scontrol";
    EXPECT_EQ(*ours, *theirs) << list;
  }

  std::size_t below(std::size_t bound) { return random_() % bound; }

  std::string number() {
    std::string digits = std::to_string(below(120));
    return std::string(below(3) == 0 ? below(3) : 0, '0') + digits;
  }

  std::string range() {
    const std::string low = number();
    if (below(2) == 0) return low;
    return low + "-" + std::string(below(4) == 0 ? 1 : 0, '0') +
           std::to_string(std::stoul(low) + below(6));
  }

  std::string bracket() {
    std::string ranges = range();
    for (std::size_t more = below(3); more > 0; --more) ranges += "," + range();
    return "[" + ranges + "]";
  }

  std::string item() {
    static constexpr const char* kPrefixes[] = {"node", "r",    "ip-10-1-", "gpu_", "a.b-",
                                                "n0",   "rack", "x1y",      "h"};
    const std::size_t brackets = below(10) < 7 ? below(3) : below(6);
    std::string text = kPrefixes[below(std::size(kPrefixes))];
    if (brackets == 0) return text + (below(2) == 0 ? number() : "");
    for (std::size_t place = 0; place < brackets; ++place) {
      if (place > 0 && below(4) > 0) text += static_cast<char>('a' + below(20));
      // Keep the product small: only some of many brackets hold more than one number.
      text += brackets < 3 || below(2) == 0 ? bracket() : "[" + number() + "]";
    }
    return text;
  }

  // A newline separates only where no item has a bracket, see TakesANewlineForASeparator.
  std::string list() {
    static constexpr const char* kSeparators[] = {",", ",,", " ", "\t", ", ", "\n"};
    std::string text = item();
    for (std::size_t more = below(4); more > 0; --more) {
      const std::string next = item();
      const bool bracket = (text + next).find('[') != std::string::npos;
      text += kSeparators[below(std::size(kSeparators) - (bracket ? 1 : 0))] + next;
    }
    return text;
  }

 private:
  std::string configuration_;
  std::mt19937 random_{kSeed};
};

TEST_F(HostlistAgainstScontrol, AgreesOnListsOfTheField) {
  for (const char* list : {
           "node1",
           "node[1-4]",
           "node[08-11]",
           "node[098-102]",
           "node[1-010]",
           "node[009-10]",
           "n[1,3,5-7]",
           "n[01,003,2-3]",
           "n[001-1]",
           "n[2-2]",
           "n[00-00]",
           "n[000]",
           "n[0-00]",
           "[1-3]",
           "1-3",
           "007",
           "a007",
           "a,b c\td\ne",
           ",a,,b,",
           "n2,n1,n1",
           "n[1,1],n1",
           "a09,a10,a11",
           "a9,a10",
           "a99,a0100",
           "a1,a01,a001",
           "a[1-2],a[2-3]",
           "a2,a[1-2]",
           "r[1-2]c[1-2]",
           "a[1-2][3-4]",
           "a[3,1]b[2,1]",
           "a[1-2]b[09-10]",
           "a[1-2]b[1,1]",
           "r[1-2]c[1-2]n[1-2]",
           "a[1-2]b[1-2]c[1-2]d[1-2]",
           "a[1-2]b[3]c[4-5]d[6]e[7-9]",
           "a[1,2-3]b[4]c[5,6]",
           "a[1-3]b[1]c[1-2]d[1-2]e[1-2]",
           "a[1-2]1[3-4]",
           "ip-10-1-123-[45-47]",
           "queue1-dy-p5-[9-10],queue1-st-p5-1",
           "a.b[1-2]",
           "node-[1-2]",
           "a1[1-2]",
           "a01[1-2]",
           "x[1-2]b[3],y,z[01-02]",
           "a_b-c.d",
           "n[0-9999]",
       }) {
    expect_same(list);
  }
}

TEST_F(HostlistAgainstScontrol, AgreesOnGeneratedLists) {
  std::set<std::string> seen;
  while (seen.size() < kGenerated) {
    const std::string text = list();
    const auto ours = expand_hostlist(text);
    ASSERT_TRUE(ours.has_value()) << text << ": " << ours.error().message();
    if (ours->size() <= 3000 && seen.insert(text).second) expect_same(text);
  }
}

TEST_F(HostlistAgainstScontrol, ExpandsCompressedListsBack) {
  for (int round = 0; round < kCompressed; ++round) {
    Names names;
    for (std::size_t count = 1 + below(40); count > 0; --count) {
      static constexpr const char* kPrefixes[] = {"node", "n0-", "ip-10-1-57-", "a.b", "7x"};
      names.push_back(kPrefixes[below(std::size(kPrefixes))] + number());
    }
    const std::string compressed = compress_hostlist(names);
    const auto theirs = ask(compressed);
    ASSERT_TRUE(theirs.has_value()) << compressed;
    EXPECT_EQ(std::set(theirs->begin(), theirs->end()), std::set(names.begin(), names.end()))
        << compressed;
    EXPECT_EQ(theirs->size(), std::set(names.begin(), names.end()).size()) << compressed;
  }
}

TEST_F(HostlistAgainstScontrol, NeverTakesWhatScontrolRefuses) {
  constexpr std::string_view kBytes = "[]-,01x";
  for (int round = 0; round < kMutated; ++round) {
    std::string text = item();
    for (std::size_t change = 0; change <= below(3); ++change) {
      const std::size_t place = below(text.size());
      if (below(2) == 0) {
        text.insert(place, 1, kBytes[below(kBytes.size())]);
      } else if (text.size() > 1) {
        text.erase(place, 1);
      }
    }
    const auto ours = expand_hostlist(text);
    if (ours && ours->size() <= 3000) expect_same(text);
  }
}

TEST_F(HostlistAgainstScontrol, RefusesWhereScontrolRefuses) {
  for (const char* list : {"n[4-1]", "n[1,,2]", "n[,1]", "n[]", "n[1--2]", "n[a-c]", "n[0x1]",
                           "n[-1]", "n[1-3-5]", "n[1-2]-ib0", "n[1-2].example.com",
                           "ip-10-1-[2,30]-4", "n[[1-2]]", "n[1-2]]", "n[0-65536]"}) {
    EXPECT_FALSE(expand_hostlist(list).has_value()) << list;
    EXPECT_EQ(ask(list), std::nullopt) << list;
  }
}

TEST_F(HostlistAgainstScontrol, RefusesWhereScontrolMakesNamesUp) {
  for (const char* list : {"node[1-2", "node[1-]", "node[1 - 2]", "node[+1]", "node[1, 2]", "node[",
                           "node]", "a]b", "node[99999999999999999999]"}) {
    EXPECT_FALSE(expand_hostlist(list).has_value()) << list;
    EXPECT_NE(ask(list), std::nullopt) << list << ": scontrol refuses it, too; move it up";
  }
}

// scontrol splits at a newline, but takes one before a bracket for a part of the prefix, and gives
// the name before it again and again. Ours gives each name once.
TEST_F(HostlistAgainstScontrol, TakesANewlineForASeparator) {
  EXPECT_EQ(*expand_hostlist("a\nb[1-2]"), (Names{"a", "b1", "b2"}));
  EXPECT_EQ(ask("a\nb[1-2]"), (Names{"a", "b1", "a", "b2"}));
}

}  // namespace
}  // namespace muster::slurm
