#include "workflow/template_yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <unordered_set>
#include <utility>

namespace tasker::workflow {
namespace {

constexpr std::size_t kExpansionMax =
    4;  // how much larger than the longest text its expansion may be
constexpr std::size_t kQuotedMax = 60;

Error At(std::string_view source, int line, std::string_view message) {
  return Invalid(std::string(source) + ":" + std::to_string(line) + ": " + std::string(message));
}

}  // namespace

// Builds the tree from the parser's events. After the first error it ignores what follows.
class YamlBuilder final : public YAML::EventHandler {
 public:
  YamlBuilder(YamlDocument& out, std::string_view source, const TemplateLimits& limits)
      : out_(out), source_(source), limits_(limits) {}

  const std::optional<Error>& error() const { return error_; }

  void OnDocumentStart(const YAML::Mark&) override { ++documents_; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (YamlNode* node = New(mark, YamlNode::Kind::kNull)) Finish(*node, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (error_) return;
    const YamlNode* node = anchor < anchors_.size() ? anchors_[anchor] : nullptr;
    if (node == nullptr)
      return Fail(mark, "this alias stands inside its own anchor; write the value out");
    Attach(*node, Line(mark));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode* node = New(mark, YamlNode::Kind::kScalar);
    if (node == nullptr || !Allowed(mark, tag, "tag:yaml.org,2002:str")) return;
    node->plain = tag == "?" || tag.empty();
    node->text = value;
    node->weight += value.size();
    Finish(*node, anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(mark, tag, "tag:yaml.org,2002:seq", anchor, YamlNode::Kind::kList);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(mark, tag, "tag:yaml.org,2002:map", anchor, YamlNode::Kind::kMap);
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Frame {
    YamlNode* node;
    YAML::anchor_t anchor;
    std::optional<std::string> key;  // waits for its value
    int key_line = 0;
    std::unordered_set<std::string> keys;
  };

  static int Line(const YAML::Mark& mark) { return std::max(mark.line, 0) + 1; }
  void Fail(const YAML::Mark& mark, std::string_view message) { FailAt(Line(mark), message); }
  void FailAt(int line, std::string_view message) {
    if (!error_) error_ = At(source_, line, message);
  }

  bool Allowed(const YAML::Mark& mark, const std::string& tag, std::string_view standard) {
    if (tag.empty() || tag == "?" || tag == "!" || tag == standard) return true;
    Fail(mark, "the tag " + Quoted(tag) + " means nothing here; write the value without it");
    return false;
  }

  YamlNode* New(const YAML::Mark& mark, YamlNode::Kind kind) {
    if (error_) return nullptr;
    if (documents_ > 1) {
      if (kind == YamlNode::Kind::kNull) return nullptr;
      Fail(mark, "a second document starts here; write one template a file");
      return nullptr;
    }
    YamlNode& node = out_.nodes_.emplace_back();
    node.kind = kind;
    node.line = Line(mark);
    return &node;
  }

  void Open(const YAML::Mark& mark, const std::string& tag, std::string_view standard,
            YAML::anchor_t anchor, YamlNode::Kind kind) {
    YamlNode* node = New(mark, kind);
    if (node == nullptr || !Allowed(mark, tag, standard)) return;
    if (stack_.size() >= static_cast<std::size_t>(limits_.depth_max)) return FailDeep(Line(mark));
    stack_.push_back({node, anchor, std::nullopt, 0, {}});
  }

  void Close() {
    if (error_ || stack_.empty()) return;
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    Finish(*frame.node, frame.anchor);
  }

  void Finish(const YamlNode& node, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) {
      if (anchors_.size() <= anchor) anchors_.resize(anchor + 1);
      anchors_[anchor] = &node;
    }
    Attach(node, node.line);
  }

  // Into the collection that is open, as its next item, key or value.
  void Attach(const YamlNode& node, int line) {
    if (stack_.empty()) {
      out_.root_ = &node;
      return;
    }
    Frame& frame = stack_.back();
    YamlNode& parent = *frame.node;
    if (parent.kind == YamlNode::Kind::kList) {
      parent.items.push_back(&node);
    } else if (!frame.key) {
      return AttachKey(frame, node, line);
    } else {
      parent.entries.push_back({std::move(*frame.key), frame.key_line, &node});
      frame.key.reset();
    }
    parent.height = std::max(parent.height, node.height + 1);
    parent.weight += node.weight;
    if (parent.height > limits_.depth_max) return FailDeep(line);
    const std::size_t weight_max = limits_.text_max_bytes * kExpansionMax;
    if (parent.weight > weight_max) {
      FailAt(line, "with its aliases written out this text is longer than " +
                       std::to_string(weight_max) + " bytes; repeat less through aliases");
    }
  }

  void AttachKey(Frame& frame, const YamlNode& node, int line) {
    if (node.kind == YamlNode::Kind::kList || node.kind == YamlNode::Kind::kMap) {
      return FailAt(line,
                    "a list or a mapping stands where a key is expected; write a name and a colon");
    }
    if (!frame.keys.insert(node.text).second) {
      return FailAt(line, "the key " + Quoted(node.text) +
                              " stands twice in one mapping; remove one of them");
    }
    frame.key = node.text;
    frame.key_line = line;
    frame.node->weight += node.weight;
  }

  void FailDeep(int line) {
    FailAt(line, "this is nested deeper than " + std::to_string(limits_.depth_max) +
                     " levels; flatten it");
  }

  YamlDocument& out_;
  const std::string_view source_;
  const TemplateLimits& limits_;
  std::vector<Frame> stack_;
  std::vector<const YamlNode*> anchors_;  // null while the anchor's node is open
  int documents_ = 0;
  std::optional<Error> error_;
};

namespace {

// yaml-cpp takes 0x04 for the end of the text, and would cut it there without a word.
Status CheckCharacters(std::string_view text, std::string_view source) {
  int line = 1;
  for (const char c : text) {
    if (c == '\n') ++line;
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 && c != '\n' && c != '\r' && c != '\t') {
      return At(source, line,
                "the text holds the control character " + std::to_string(byte) +
                    "; remove it, and save the file as UTF-8");
    }
  }
  return Ok();
}

}  // namespace

Result<YamlDocument> YamlDocument::Parse(std::string_view text, std::string_view source,
                                         const TemplateLimits& limits) {
  if (text.size() > limits.text_max_bytes) {
    return At(source, 1,
              "the template is " + std::to_string(text.size()) + " bytes long; at most " +
                  std::to_string(limits.text_max_bytes) + " are read");
  }
  TRY_OK(CheckCharacters(text, source));
  YamlDocument document;
  YamlBuilder builder(document, source, limits);
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    while (!builder.error() && parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& e) {
    if (!builder.error()) {
      return At(source, std::max(e.mark.line, 0) + 1,
                "this is not YAML: " + e.msg +
                    "; check the indentation, the colons and the quotes up to here");
    }
  }
  if (builder.error()) return *builder.error();
  if (document.root_ == nullptr) document.root_ = &document.nodes_.emplace_back();
  return document;
}

std::string Quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text.substr(0, kQuotedMax)) {
    out.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c);
  }
  // Not in the middle of a character.
  if (text.size() > kQuotedMax) {
    while (out.size() > 1 && (static_cast<unsigned char>(out.back()) & 0xc0) == 0x80)
      out.pop_back();
    if (out.size() > 1 && (static_cast<unsigned char>(out.back()) & 0x80) != 0) out.pop_back();
    out += "...";
  }
  return out + "'";
}

}  // namespace tasker::workflow
