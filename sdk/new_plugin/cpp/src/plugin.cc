#include <string>
#include <utility>

#include <tasker/plugin.hpp>

namespace {

// A handler with state: one object serves all attempts, several at once, so it changes nothing.
class Greet {
 public:
  explicit Greet(std::string greeting) : greeting_(std::move(greeting)) {}

  tasker::JsonObject operator()(tasker::Call& call) const {
    const std::string name = call.context()["name"].as<std::string>();
    if (name.empty()) throw tasker::PermanentError("context.name is empty");
    return tasker::JsonObject().set("text", greeting_ + ", " + name + "!");
  }

 private:
  const std::string greeting_;
};

}  // namespace

TASKER_PLUGIN("@NAME@", "0.1.0", plugin) {
  plugin.emplace_handler<Greet>("@NAME@.greet", {},
                                plugin.settings()["greeting"].value_or("Hello"));

  plugin.handler("@NAME@.count", [](tasker::Call& call) {
    const std::string text = call.dependency("greet")["text"].as<std::string>();
    if (!call.alive(0.5, "half way")) throw tasker::RetryableError("asked to stop");
    return tasker::JsonObject().set("bytes", text.size());
  });
}
