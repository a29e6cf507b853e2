// STORE.md against the code: operations, limits, and the bytes of its exchange.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "rendezvous/tcpstore/limits.h"
#include "rendezvous/tcpstore/store_engine.h"
#include "rendezvous/tcpstore/store_sockets.h"
#include "tests/rendezvous/tcpstore/wire.h"

namespace muster::tcpstore {
namespace {

std::string page() {
  std::ifstream file(MUSTER_STORE_PAGE);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

bool has_line_that_begins(const std::string& text, const std::string& start) {
  return ("\n" + text).find("\n" + start) != std::string::npos;
}

std::string place(Era era, Operation operation) {
  for (int opcode = 0; opcode < 256; ++opcode)
    if (operation_of(era, static_cast<std::uint8_t>(opcode)) == operation)
      return std::to_string(opcode);
  return "-";
}

TEST(StorePage, ListsEveryOperationWithItsNumbers) {
  const std::string text = page();
  for (std::size_t i = 0; i < kOperations; ++i) {
    const auto operation = static_cast<Operation>(i);
    const std::string row = "| " + place(Era::kNew, operation) + " | " +
                            place(Era::kOld, operation) + " | " +
                            std::string(shape_of(operation).name) + " |";
    EXPECT_TRUE(has_line_that_begins(text, row)) << row;
  }
}

TEST(StorePage, ListsEveryLimit) {
  const std::map<std::string, std::size_t> limits{
      {"kMaxKey", kMaxKey},
      {"kMaxValue", kMaxValue},
      {"kMaxAppended", kMaxAppended},
      {"kMaxRequest", kMaxRequest},
      {"kMaxKeysPerRequest", kMaxKeysPerRequest},
      {"kMaxBacklog", kMaxBacklog},
      {"kMaxWatches", kMaxWatches},
      {"kMaxKeys", kMaxKeys},
      {"kMaxStoreBytes", kMaxStoreBytes},
      {"kMaxWaits", kMaxWaits},
      {"kMaxQueuedItems", kMaxQueuedItems},
      {"kMaxUnadmitted", kMaxUnadmitted},
  };
  const std::string text = page();
  for (const auto& [name, value] : limits) {
    const std::string row = "| " + name + " | " + std::to_string(value) + " |";
    EXPECT_TRUE(has_line_that_begins(text, row)) << row;
  }
}

std::string bytes_of(const std::string& line) {
  std::string bytes;
  std::istringstream words(line.substr(1));
  for (std::string word; words >> word && word.size() == 2;)
    bytes.push_back(static_cast<char>(std::stoul(word, nullptr, 16)));
  return bytes;
}

TEST(StorePage, ShowsAnExchangeAsItHappens) {
  const std::string text = page();
  std::istringstream lines(text.substr(text.find("## One exchange")));
  StoreEngine engine;
  const ClientSlot client{0};
  engine.accept(client);
  int replies = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("> ", 0) == 0) {
      EXPECT_EQ(engine.unsent(client), "") << line;
      engine.receive(client, bytes_of(line));
    }
    if (line.rfind("< ", 0) != 0) continue;
    ++replies;
    EXPECT_EQ(engine.unsent(client), bytes_of(line)) << line;
    engine.note_sent(client, engine.unsent(client).size());
  }
  EXPECT_EQ(replies, 4);
  EXPECT_FALSE(engine.has_closings());
}

}  // namespace
}  // namespace muster::tcpstore
