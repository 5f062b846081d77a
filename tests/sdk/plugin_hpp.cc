// plugin.hpp as the first and only header, in the C++ of SDK_STANDARD, with everything that a
// plugin may use.
#include <tasker/plugin.hpp>

#include <atomic>

#if SDK_STANDARD == 17
#define SDK_ENTRY sdk_entry_cxx17
#else
#define SDK_ENTRY sdk_entry_cxx20
#endif

namespace {

class Total {
 public:
  Total(int start, std::string_view) : sum_(start) {}
  tasker::JsonObject operator()(tasker::Call& call) {
    sum_ += call.dependency("count")["n"].value_or(call.inputs()["n"].value_or(0));
    return tasker::JsonObject().set("sum", sum_.load()).set("config", call.config());
  }

 private:
  std::atomic<int> sum_;  // which makes it stay where it is
};

struct Sessions {
  explicit Sessions(std::string_view config) : open(config.size()) {}
  std::size_t open;
};

}  // namespace

TASKER_PLUGIN_STATIC(SDK_ENTRY, "sdk", "1", p) {
  auto& sessions = p.keep<Sessions>(p.config());
  p.on_drain([](std::chrono::steady_clock::time_point) {});
  p.on_shutdown([&sessions] { sessions.open = 0; });
  tasker::Options options;
  options.threads = TASKER_THREADS_SERIAL;
  options.caps = TASKER_CAP_CANCEL | TASKER_CAP_CHECKPOINT;
  options.description = "does nothing";
  options.cancel = [](const tasker_call*, std::int32_t) {};
  p.handler(
      "sync",
      [](const tasker_step&, tasker::Call& call) {
        if (!call.alive()) throw tasker::RetryableError("later", std::chrono::seconds(1));
        if (call.checkpoint("1") != TASKER_OK) throw tasker::PermanentError("lost");
        return std::string("{}");
      },
      options);
  p.emplace_handler<Total>("total", options, 3, "name");
  p.emplace_handler<Total>("another total", {}, p.settings()["start"].value_or(0), "name");
  p.handler("call only", [](tasker::Call& call) { return call.context()["order"].text(); });
  p.handler("literal", [](const tasker_step&, tasker::Call&) { return "null"; });
  p.handler("nothing", [](const tasker_step&, tasker::Call&) {});
  p.handler_async("async",
                  [](tasker::Call call) { call.yield("{}", std::chrono::milliseconds(5)); });
  p.log(TASKER_LOG_INFO, "ready");
}
