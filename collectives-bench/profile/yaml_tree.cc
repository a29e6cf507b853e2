#include "collectives-bench/profile/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <sstream>
#include <utility>

namespace muster::bench {

namespace {

YamlPlace place_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1};
}

// "" behind the last one.
std::string line_at(std::string_view text, YamlPlace place) {
  for (int line = 1; line < place.line; ++line) {
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    if (text.empty()) return "";
  }
  return shown_text(text.substr(0, text.find('\n')));
}

std::string no_yaml(std::string_view text, YamlPlace place, const std::string& why) {
  const std::string line = line_at(text, place);
  return (line.empty() ? "nothing" : "'" + line + "'") + " is given, and that is no YAML (" + why +
         "); expected lines of 'key: value', indented by spaces";
}

// Builds the tree bottom-up; after the first error it only waits for the end.
class TreeBuilder : public YAML::EventHandler {
 public:
  struct Problem {
    YamlPlace place;
    std::string what;
  };

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    add({YamlNode::Kind::kNothing, place_of(mark), {}, {}});
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "an alias (*name) is given; expected the value itself: write it out");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    add({YamlNode::Kind::kText, place_of(mark), value, {}});
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kList, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

  const std::optional<Problem>& problem() const { return problem_; }
  YamlNode take() { return std::move(root_); }

 private:
  void refuse(const YAML::Mark& mark, std::string what) {
    if (!problem_) problem_ = Problem{place_of(mark), std::move(what)};
  }

  void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) refuse(mark, "an anchor (&name) is given; expected a plain value");
  }

  // "?" marks plain and "!" quoted text.
  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!") {
      refuse(mark, "the tag '" + tag.substr(0, 40) + "' is given; expected a plain value");
    }
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (open_.size() >= kMaxYamlDepth) {
      refuse(mark, "nested more than " + std::to_string(kMaxYamlDepth) + " levels deep");
    }
    if (!problem_) open_.push_back({kind, place_of(mark), {}, {}});
  }

  void close() {
    if (problem_ || open_.empty()) return;
    YamlNode node = std::move(open_.back());
    open_.pop_back();
    add(std::move(node));
  }

  void add(YamlNode node) {
    if (problem_) return;
    if (open_.empty()) {
      root_ = std::move(node);
    } else {
      open_.back().items.push_back(std::move(node));
    }
  }

  std::vector<YamlNode> open_;
  YamlNode root_;
  std::optional<Problem> problem_;
};

}  // namespace

std::string shown_text(std::string_view text) {
  std::string shown(text.substr(0, kMaxShown));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return shown;
}

std::string at_place(const std::string& file, YamlPlace place, const std::string& what) {
  return file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column) + ": " + what;
}

Result<YamlNode> parse_yaml(const std::string& file, std::string_view text) {
  if (text.size() > kMaxYamlBytes) {
    return failure(ErrorCode::kLimit, file + ": " + std::to_string(text.size()) +
                                          " bytes; expected at most " +
                                          std::to_string(kMaxYamlBytes));
  }
  TreeBuilder builder;
  TreeBuilder second;
  bool has_more = false;
  try {
    std::istringstream input{std::string(text)};
    YAML::Parser parser(input);
    parser.HandleNextDocument(builder);
    has_more = parser.HandleNextDocument(second);
  } catch (const YAML::Exception& error) {
    return failure(
        ErrorCode::kInvalidArgument,
        at_place(file, place_of(error.mark), no_yaml(text, place_of(error.mark), error.msg)));
  } catch (const std::exception& error) {
    return failure(ErrorCode::kInvalidArgument,
                   at_place(file, {}, no_yaml(text, {}, error.what())));
  }
  if (builder.problem()) {
    return failure(ErrorCode::kInvalidArgument,
                   at_place(file, builder.problem()->place, builder.problem()->what));
  }
  if (has_more) {
    return failure(ErrorCode::kInvalidArgument,
                   at_place(file, second.take().place,
                            "two documents are given; expected one: remove the '---'"));
  }
  return builder.take();
}

}  // namespace muster::bench
