#include "launcher/report/text.h"

#include <gtest/gtest.h>

namespace muster::report {
namespace {

constexpr const char* kReplaced = "\xef\xbf\xbd";

TEST(ReportText, EscapesWhatMeansSomethingInHtml) {
  EXPECT_EQ(escape("<b a=\"x\" c='y'>&amp;"), "&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp;amp;");
}

TEST(ReportText, KeepsWordsOfAllLanguages) {
  EXPECT_EQ(escape("größer → 节点 “a”"), "größer → 节点 “a”");
}

TEST(ReportText, ReplacesWhatWouldDeceiveTheReader) {
  EXPECT_EQ(escape(std::string("a\0b\x1b[1m", 7)),
            std::string("a") + kReplaced + "b" + kReplaced + "[1m");
  EXPECT_EQ(escape("a\u202eb"), std::string("a") + kReplaced + "b");  // right to left from here on
  EXPECT_EQ(escape("\u200b\u2066\ufeff\u0085"),
            std::string(kReplaced) + kReplaced + kReplaced + kReplaced);
  EXPECT_EQ(escape("two\nlines\t"), "two\nlines\t");
}

TEST(ReportText, AnEndInMidCharacterIsNoOverrun) {
  EXPECT_EQ(escape("a\xe2\x80"), "a\xe2\x80");
  EXPECT_EQ(escape("\xe2"), "\xe2");
}

TEST(ReportText, RatesHaveThreeDigits) {
  EXPECT_EQ(rate_text(0.02114), "0.0211");
  EXPECT_EQ(rate_text(3.417), "3.42");
  EXPECT_EQ(rate_text(97.44), "97.4");
  EXPECT_EQ(rate_text(364.2), "364");
  EXPECT_EQ(rate_text(0), "0");
  EXPECT_LT(rate_text(1e300).size(), 12u);
}

TEST(ReportText, NearlyAllIsNotAll) {
  EXPECT_EQ(percent_text(0.412), "41\u00a0%");
  EXPECT_EQ(percent_text(0.999), "99.9\u00a0%");
  EXPECT_EQ(percent_text(0.9988), "99.9\u00a0%");
  EXPECT_EQ(percent_text(0.99999), "99.9\u00a0%");
  EXPECT_EQ(percent_text(1), "100\u00a0%");
  EXPECT_LT(percent_text(1e300).size(), 16u);
}

TEST(ReportText, TimesAndSizesReadWell) {
  EXPECT_EQ(seconds_text(0.8), "0.8 s");
  EXPECT_EQ(seconds_text(75), "75 s");
  EXPECT_EQ(seconds_text(720), "12 min");
  EXPECT_EQ(bytes_text(1 << 20), "1 MiB");
  EXPECT_EQ(bytes_text(1000), "1000 B");
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(count_text(1, "node"), "1 node");
  EXPECT_EQ(count_text(2, "node"), "2 nodes");
}

TEST(ReportText, FoldsRunsOfHosts) {
  EXPECT_EQ(fold_hosts({}), "");
  EXPECT_EQ(fold_hosts({"login"}), "login");
  EXPECT_EQ(fold_hosts({"node7"}), "node7");
  EXPECT_EQ(fold_hosts({"node1", "node2", "node3", "node7", "login"}), "node[1-3,7], login");
  EXPECT_EQ(fold_hosts({"n08", "n09", "n10", "n11"}), "n[08-11]");
  EXPECT_EQ(fold_hosts({"n9", "n10"}), "n[9-10]");
  EXPECT_EQ(fold_hosts({"a1", "b2"}), "a1, b2");
}

TEST(ReportText, HostsWhoseFoldingWouldLieStandAlone) {
  EXPECT_EQ(fold_hosts({"n9", "n09"}), "n9, n09");  // another width
  EXPECT_EQ(fold_hosts({"a[1]2", "a[1]3"}), "a[1]2, a[1]3");
  EXPECT_EQ(fold_hosts({"n1234567890123456789", "n1234567890123456790"}),
            "n1234567890123456789, n1234567890123456790");
}

}  // namespace
}  // namespace muster::report
