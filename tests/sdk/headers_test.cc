#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <tasker/plugin.hpp>

// Of the same source, compiled as each standard.
extern "C" {
std::size_t sdk_known_size_11(std::uint32_t said);
std::size_t sdk_known_size_14(std::uint32_t said);
std::size_t sdk_known_size_17(std::uint32_t said);
std::size_t sdk_known_size_20(std::uint32_t said);
}
const tasker_plugin_entry& sdk_entry_cxx17();
const tasker_plugin_entry& sdk_entry_cxx20();

namespace tasker {
namespace {

TEST(PluginH, HasTellsAWholeFieldFromACutOne) {
  for (const auto known :
       {sdk_known_size_11, sdk_known_size_14, sdk_known_size_17, sdk_known_size_20}) {
    EXPECT_EQ(known(103), 103U);
    EXPECT_EQ(known(104), sizeof(tasker_success));
    EXPECT_EQ(known(4096), sizeof(tasker_success));
  }
}

TEST(PluginHpp, TheEntryIsTheSameInEveryStandard) {
  for (const auto entry : {sdk_entry_cxx17, sdk_entry_cxx20}) {
    EXPECT_EQ(entry().size, sizeof(tasker_plugin_entry));
    EXPECT_EQ(entry().min_host_minor, 0U);
    EXPECT_EQ(view(entry().name), "sdk");
    EXPECT_EQ(view(entry().version), "1");
    EXPECT_NE(entry().init, nullptr);
    EXPECT_EQ(&entry(), &entry());
  }
}

// A host of its own, which refuses the second registration.
struct Host {
  int registered = 0;
  int cancellable = 0;
};

tasker_status RegisterOne(tasker_plugin* plugin, const tasker_handler* handler, tasker_error*) {
  auto& host = *reinterpret_cast<Host*>(plugin);
  if (host.registered == 1) return TASKER_E_EXISTS;
  ++host.registered;
  host.cancellable += handler->ops->cancel != nullptr ? 1 : 0;
  return TASKER_OK;
}

TEST(PluginHpp, ARefusedRegistrationEndsTheBodyWithTheHostsStatus) {
  tasker_host table{};
  table.size = sizeof table;
  table.register_handler = &RegisterOne;
  Host host;
  void* state = nullptr;
  const tasker_status status =
      sdk_entry_cxx17().init(&table, reinterpret_cast<tasker_plugin*>(&host), {}, &state, nullptr);
  EXPECT_EQ(status, TASKER_E_EXISTS);
  EXPECT_EQ(state, nullptr);
  EXPECT_EQ(host.cancellable, 1);
}

// A host of an earlier minor version, whose table ends before hand_back; beyond it is nobody's
// memory.
struct OlderHost {
  OlderHost() : memory(new std::byte[kSize]) {
    tasker_host table{};
    table.size = kSize;
    table.log = [](tasker_plugin*, tasker_call*, std::int32_t, tasker_str, tasker_str) {};
    table.log_enabled = [](tasker_plugin*, std::int32_t) { return 1; };
    table.error_set = [](tasker_error*, tasker_status, tasker_str) {};
    table.register_handler = [](tasker_plugin* plugin, const tasker_handler* handler,
                                tasker_error*) {
      auto& host = *reinterpret_cast<OlderHost*>(plugin);
      host.handlers.emplace(view(handler->id), *handler);
      return tasker_status{TASKER_OK};
    };
    table.complete = [](tasker_call* call, tasker_success* moved) {
      reinterpret_cast<OlderHost*>(call)->result = view(moved->result);
      return tasker_status{TASKER_OK};
    };
    table.checkpoint = [](tasker_call*, tasker_bytes*) { return tasker_status{TASKER_OK}; };
    table.heartbeat = [](tasker_call*, double, tasker_str) { return tasker_status{TASKER_OK}; };
    table.retain = [](tasker_call* call) { ++reinterpret_cast<OlderHost*>(call)->references; };
    table.release = [](tasker_call* call) { --reinterpret_cast<OlderHost*>(call)->references; };
    std::memcpy(memory.get(), &table, kSize);
  }
  const tasker_host* table() const { return reinterpret_cast<const tasker_host*>(memory.get()); }

  static constexpr std::uint32_t kSize = offsetof(tasker_host, hand_back);
  std::unique_ptr<std::byte[]> memory;
  std::map<std::string, tasker_handler> handlers;
  std::string result;
  int references = 1;
};

TEST(PluginHpp, APluginRunsInAHostThatHasFewerFields) {
  for (const auto entry : {sdk_entry_cxx17, sdk_entry_cxx20}) {
    OlderHost host;
    EXPECT_FALSE(TASKER_HAS(host.table(), tasker_host, hand_back));
    EXPECT_TRUE(TASKER_HAS(host.table(), tasker_host, release));
    void* state = nullptr;
    ASSERT_EQ(
        entry().init(host.table(), reinterpret_cast<tasker_plugin*>(&host), {}, &state, nullptr),
        TASKER_OK);
    // As short as that host's: it ends before deadline_ns.
    constexpr std::uint32_t kStepSize = offsetof(tasker_step, deadline_ns);
    const std::unique_ptr<std::byte[]> memory(new std::byte[kStepSize]{});
    std::memcpy(memory.get(), &kStepSize, sizeof kStepSize);
    const tasker_handler& handler = host.handlers.at("sync");
    EXPECT_EQ(handler.ops->start(handler.self, reinterpret_cast<tasker_step*>(memory.get()),
                                 reinterpret_cast<tasker_call*>(&host), nullptr),
              TASKER_OK);
    EXPECT_EQ(host.result, "{}");
    EXPECT_EQ(host.references, 0);
    EXPECT_EQ(entry().drain(state, 1), TASKER_OK);
    entry().shutdown(state);
  }
}

TEST(PluginHpp, AnEmptyViewIsNeverNull) {
  EXPECT_EQ(view(tasker_str{}), "");
  EXPECT_NE(view(tasker_str{}).data(), nullptr);
  EXPECT_NE(view(tasker_bytes{}).data(), nullptr);
}

}  // namespace
}  // namespace tasker
