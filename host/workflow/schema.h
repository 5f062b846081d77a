#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tasker::workflow {

// A compiled JSON Schema. Drafts 4, 6 and 7; another `$schema` is refused by name. Immutable and
// thread-safe.
class JsonSchema final {
  struct State;

 public:
  explicit JsonSchema(
      std::unique_ptr<State> state);  // by Compile only: nobody else can make a State
  // `schema` is a JSON text. Its references stay within it. Refused, in one sentence: what is no
  // schema, references that lead elsewhere, and schemas whose check would not end. Of the formats,
  // date, time, date-time, uuid and email are checked.
  static Result<std::unique_ptr<JsonSchema>> Compile(std::string_view schema);
  ~JsonSchema();
  JsonSchema(const JsonSchema&) = delete;
  JsonSchema& operator=(const JsonSchema&) = delete;

  // Ok, or kInvalid with every violation: "at /order/items/0: ...".
  Status Check(std::string_view document) const;

 private:
  std::unique_ptr<State> state_;
};

// Ok if `text` is one JSON value within the depth; kInvalid says where not.
Status CheckJson(std::string_view text, std::size_t depth_max);

}  // namespace tasker::workflow
