#include "launcher/report/html_report.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/launcher/report/documents.h"

namespace muster::report {
namespace {

using nlohmann::json;

// Puts `poison` in the place of each text and, where that is allowed, of each member's name.
void poison_texts(json& value, const std::string& poison) {
  if (value.is_string()) {
    value = poison + value.get<std::string>();
  } else if (value.is_structured()) {
    for (json& member : value) poison_texts(member, poison);
  }
}

// The end of the tag that begins at `at`; a '>' in quotes does not end it.
std::size_t end_of_tag(const std::string& page, std::size_t at) {
  bool is_quoted = false;
  for (; at < page.size(); ++at) {
    if (page[at] == '"') is_quoted = !is_quoted;
    if (page[at] == '>' && !is_quoted) return at;
  }
  return page.size();
}

// "" when all tags that the page opens are closed in the right order.
std::string first_unbalanced_tag(const std::string& page) {
  std::vector<std::string> open;
  for (std::size_t at = page.find('<'); at != std::string::npos; at = page.find('<', at)) {
    const std::size_t end = end_of_tag(page, at);
    const bool closes = page[at + 1] == '/';
    const std::size_t from = at + (closes ? 2 : 1);
    const std::string name = page.substr(from, page.find_first_of(" >/", from) - from);
    at = end;
    if (page[end - 1] == '/' || name == "meta" || name == "br" || name[0] == '!') continue;
    if (!closes) {
      open.push_back(name);
    } else if (open.empty() || open.back() != name) {
      return "</" + name + "> in " + (open.empty() ? "nothing" : open.back());
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : open.back();
}

TEST(HtmlReport, IsOnePageWithoutScriptOrForeignResource) {
  const std::string page = page_of(slow_node_document(4));
  EXPECT_TRUE(page.starts_with("<!doctype html>"));
  EXPECT_TRUE(page.ends_with("</html>\n"));
  EXPECT_NE(page.find("name=\"viewport\""), std::string::npos);
  EXPECT_NE(page.find("prefers-color-scheme:dark"), std::string::npos);
  for (const char* foreign :
       {"<script", "http://", "https://", "src=", "href=", "@import", "url(", "onload"}) {
    EXPECT_EQ(page.find(foreign), std::string::npos) << foreign;
  }
}

TEST(HtmlReport, TagsAreBalanced) {
  for (const json& document :
       {json::object(), healthy_document(1), healthy_document(4), slow_node_document(4),
        slow_node_document(33), hung_document(), slow_node_document(80)}) {
    EXPECT_EQ(first_unbalanced_tag(page_of(document)), "");
  }
}

TEST(HtmlReport, EachTextIsEscapedWhereverItStands) {
  const std::string poison = "\"'><img src=x onerror=alert(1)><!--";
  for (json document : {slow_node_document(4), hung_document(), slow_node_document(80)}) {
    document["notes"] = {"note"};
    document["doubtful"] = {"d"};
    document["chosen"] = {"c"};
    document["links"] = {{{"a", "l"}, {"b", "m"}, {"gpus", {"g"}}, {"evidence", "e"}}};
    const std::string clean = page_of(document);
    poison_texts(document, poison);
    for (json& node : document["nodes"]) node["facts"][poison] = "x";
    const std::string page = page_of(document);
    EXPECT_EQ(page.find("<img"), std::string::npos);
    EXPECT_EQ(page.find("<!--"), std::string::npos);
    EXPECT_EQ(page.find("'>"), std::string::npos);
    EXPECT_NE(page.find("&lt;img src=x"), std::string::npos);
    EXPECT_EQ(first_unbalanced_tag(page), "");
    EXPECT_NE(clean, page);
  }
}

TEST(HtmlReport, AnEmptyDocumentIsNoFitOne) {
  const std::string page = page_of(json::object());
  EXPECT_NE(page.find("Could not measure"), std::string::npos);
  EXPECT_NE(page.find("The document has no verdict"), std::string::npos);
  EXPECT_EQ(page.find("</span>Fit<"), std::string::npos);
}

TEST(HtmlReport, EachMemberMayBeAbsent) {
  const json whole = slow_node_document(4);
  for (const auto& [name, value] : whole.items()) {
    json document = whole;
    document.erase(name);
    EXPECT_EQ(first_unbalanced_tag(page_of(document)), "") << name;
  }
}

TEST(HtmlReport, TheMembersOfMembersMayBeAbsent) {
  json document;
  for (const char* name :
       {"nodes", "disagreements", "busbw", "pairs", "rounds", "unfit", "links", "one_of"}) {
    document[name] = {json::object(), json::object()};
  }
  document["nodes"][0]["probes"] = {json::object()};
  EXPECT_EQ(first_unbalanced_tag(page_of(document)), "");
}

TEST(HtmlReport, MalformedDocumentsAreErrors) {
  EXPECT_FALSE(print_html_report("<html>"));
  EXPECT_FALSE(print_html_report("7"));
  EXPECT_FALSE(print_html_report(R"({"nodes":"node1"})"));
}

TEST(HtmlReport, FiveHundredNodesStayWithinBounds) {
  const std::string page = page_of(slow_node_document(512));
  EXPECT_LT(page.size(), 1u << 20);
  EXPECT_NE(page.find(">node512<"), std::string::npos);
  EXPECT_EQ(first_unbalanced_tag(page), "");
}

}  // namespace
}  // namespace muster::report
