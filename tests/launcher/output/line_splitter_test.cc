#include "launcher/output/line_splitter.h"

#include <gtest/gtest.h>

#include <random>

namespace muster::output {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{};

// Pieces as text: '+' before one that continues, '~' after one whose line goes on.
std::string show(const std::vector<Piece>& pieces) {
  std::string text;
  for (const Piece& piece : pieces) {
    text += text.empty() ? "" : "|";
    text += (piece.continues ? "+" : "") + piece.text + (piece.ends_line ? "" : "~");
  }
  return text;
}

TEST(LineSplitter, GivesWholeLinesHoweverTheyArrive) {
  LineSplitter splitter(100);
  EXPECT_EQ(show(splitter.feed("one\ntwo\nthr", kStart)), "one|two");
  EXPECT_EQ(show(splitter.feed("ee", kStart)), "");
  EXPECT_EQ(show(splitter.feed("\n\nfour\n", kStart)), "three||four");
  EXPECT_EQ(splitter.next_deadline(), std::nullopt);
}

TEST(LineSplitter, GivesOutAPartialLineAfterSilenceAndMarksTheRest) {
  LineSplitter splitter(100);
  splitter.feed("password: ", kStart);
  EXPECT_EQ(splitter.next_deadline(), kStart + LineSplitter::kIdle);
  EXPECT_EQ(show(splitter.tick(kStart + 199ms)), "");
  EXPECT_EQ(show(splitter.tick(kStart + 200ms)), "password: ~");
  EXPECT_EQ(show(splitter.feed("secret\nnext\n", kStart + 1s)), "+secret|next");
}

TEST(LineSplitter, TheEndOfALineThatIsOutAlreadyIsNoPiece) {
  LineSplitter splitter(100);
  splitter.feed("half", kStart);
  EXPECT_EQ(show(splitter.tick(kStart + 1s)), "half~");
  EXPECT_EQ(show(splitter.feed("\nnext\n", kStart + 2s)), "next");
}

TEST(LineSplitter, GivesOutAPartialLineAtTheEnd) {
  LineSplitter splitter(100);
  splitter.feed("no newline", kStart);
  EXPECT_EQ(show(splitter.finish()), "no newline");
  EXPECT_EQ(show(splitter.finish()), "");
}

TEST(LineSplitter, CutsALongLineIntoMarkedPieces) {
  LineSplitter splitter(8);
  EXPECT_EQ(show(splitter.feed("0123456789abcdefXYZ\nnext\n", kStart)),
            "01234567~|+89abcdef~|+XYZ|next");
  EXPECT_EQ(show(splitter.feed("01234567\n", kStart)), "01234567");
}

TEST(LineSplitter, TearsNoCharacter) {
  LineSplitter splitter(8);
  EXPECT_EQ(show(splitter.feed("1234567\xC3\xA4!\n", kStart)), "1234567~|+\xC3\xA4!");
  // What is no UTF-8 is cut at the limit.
  const std::string junk(20, '\x80');
  for (const Piece& piece : splitter.feed(junk + "\n", kStart)) EXPECT_LE(piece.text.size(), 8U);
}

TEST(LineSplitter, ProgressBarsAreLinesOfTheirOwn) {
  LineSplitter splitter(100);
  EXPECT_EQ(show(splitter.feed("\r 10%\r 20%\r 30%\ndone\r\n", kStart)), " 10%| 20%| 30%|done");
  EXPECT_EQ(show(splitter.feed("dos\r", kStart)), "dos");
  EXPECT_EQ(show(splitter.feed("\nnext\n", kStart)), "next");
}

// Whatever the bytes and however they are cut into reads: no piece is above the limit, and the
// pieces put together are the bytes again (carriage returns and newlines apart).
TEST(LineSplitter, LosesNothingOverSeededStreams) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::minstd_rand random(seed);
    std::string bytes;
    const std::string alphabet = "ab\n\r\xC3\xA4\xE2\x82\xAC xyz";
    for (std::size_t i = 0; i < 2000; ++i) bytes += alphabet[random() % alphabet.size()];
    LineSplitter splitter(8 + random() % 40);
    std::string joined;
    const auto take = [&](const std::vector<Piece>& pieces) {
      for (const Piece& piece : pieces) {
        ASSERT_LE(piece.text.size(), 48U) << "seed " << seed;
        joined += piece.text;
      }
    };
    TimePoint now = kStart;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t size = 1 + random() % 90;
      take(splitter.feed(std::string_view(bytes).substr(at, size), now));
      at += size;
      now += Duration(random() % 300);
      if (random() % 2 == 0) take(splitter.tick(now));
    }
    take(splitter.finish());
    std::erase_if(bytes, [](char c) { return c == '\n' || c == '\r'; });
    ASSERT_EQ(joined, bytes) << "seed " << seed;
  }
}

}  // namespace
}  // namespace muster::output
