#include <cstddef>
#include <cstdint>
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

TEST(PluginHpp, AnEmptyViewIsNeverNull) {
  EXPECT_EQ(view(tasker_str{}), "");
  EXPECT_NE(view(tasker_str{}).data(), nullptr);
  EXPECT_NE(view(tasker_bytes{}).data(), nullptr);
}

}  // namespace
}  // namespace tasker
