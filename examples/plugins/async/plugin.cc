// Attempts that end on the plugin's own threads: the host's thread only queues them, so that a few
// of its threads serve many attempts that wait for something.
#include <algorithm>
#include <cctype>
#include <string>
#include <utility>

#include <tasker/plugin.hpp>

#include "thread_pool.h"

namespace {

void Shout(tasker::Call& call) {
  std::string text = call.context()["text"].as<std::string>();
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  call.complete(tasker::JsonObject().set("text", text));
}

}  // namespace

TASKER_PLUGIN("async_example", "1.0.0", plugin) {
  auto& pool = plugin.keep<ThreadPool>(plugin.settings()["threads"].value_or<std::size_t>(4));
  plugin.on_drain([&pool](auto) { pool.HandBackQueued(); });

  plugin.handler_async("async_example.shout",
                       [&pool](tasker::Call call) { pool.Take(std::move(call), &Shout); });
}
