#include "config/keys.h"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

namespace tasker::config {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr std::int64_t kKiB = 1 << 10;
constexpr std::int64_t kMiB = 1 << 20;
constexpr std::int64_t kGiB = 1 << 30;

template <auto Section, auto Member>
using TypeOf = std::remove_reference_t<decltype(std::declval<Config&>().*Section.*Member)>;

template <auto Section, auto Member>
constexpr Field<TypeOf<Section, Member>> kAt = {
    [](Config& config) -> TypeOf<Section, Member>& { return config.*Section.*Member; },
    [](const Config& config) -> const TypeOf<Section, Member>& { return config.*Section.*Member; }};

template <auto Section, auto Member>
constexpr ChoiceKey OneOf(std::span<const Choice> choices) {
  return {choices, [](const Config& config) { return static_cast<int>(config.*Section.*Member); },
          [](Config& config, int value) {
            config.*Section.*Member = static_cast<TypeOf<Section, Member>>(value);
          }};
}

constexpr Choice kSynchronous[] = {{"full", static_cast<int>(Synchronous::kFull)},
                                   {"normal", static_cast<int>(Synchronous::kNormal)}};
constexpr Choice kFormats[] = {{"auto", static_cast<int>(LogFormat::kAuto)},
                               {"text", static_cast<int>(LogFormat::kText)},
                               {"json", static_cast<int>(LogFormat::kJson)}};
constexpr Choice kLevels[] = {{"trace", static_cast<int>(LogLevel::kTrace)},
                              {"debug", static_cast<int>(LogLevel::kDebug)},
                              {"info", static_cast<int>(LogLevel::kInfo)},
                              {"warning", static_cast<int>(LogLevel::kWarning)},
                              {"warn", static_cast<int>(LogLevel::kWarning)},
                              {"error", static_cast<int>(LogLevel::kError)}};

constexpr Key kKeys[] = {
    {"worker.id", "TASKER_WORKER_ID", TextKey{kAt<&Config::worker, &Worker::id>},
     "A name for people, in logs and in `status`; empty: \"worker-\" and the host's name."},
    {"worker.namespaces", "TASKER_NAMESPACE",
     TextListKey{kAt<&Config::worker, &Worker::namespaces>},
     "Only steps of these namespaces are claimed; empty: of all."},
    {"worker.threads", "", IntegerKey{kAt<&Config::worker, &Worker::threads>, 0, 1024},
     "Threads that run handlers; 0: one a core."},
    {"worker.in_flight_max", "", IntegerKey{kAt<&Config::worker, &Worker::in_flight_max>, 1, 65536},
     "Steps that are claimed and not yet committed, at most."},
    {"worker.drain", "", DurationKey{kAt<&Config::worker, &Worker::drain>, seconds(0), hours(24)},
     "How long running steps may go on after SIGTERM; then they are handed back, uncounted."},
    {"worker.handler_limits", "",
     CountsKey{kAt<&Config::worker, &Worker::handler_limits>, 1, 65536},
     "How many attempts of a handler may run at once on this host, such as \"app.charge\" = 4."},

    {"store.path", "", PathKey{kAt<&Config::store, &Store::path>},
     "The SQLite file with all tasks; it and its folder are created."},
    {"store.synchronous", "", OneOf<&Config::store, &Store::synchronous>(kSynchronous),
     "\"full\": what was acknowledged survives a power cut; \"normal\": it survives a crash of the "
     "host, and commits "
     "are faster."},
    {"store.group", "", TextKey{kAt<&Config::store, &Store::group>},
     "The group that may use the store's files (0660); empty: only their owner may (0600)."},
    {"store.allow_network_fs", "", FlagKey{kAt<&Config::store, &Store::allow_network_fs>},
     "Open a store on a network file system, although its locks are not to be trusted there."},
    {"store.turn_max_items", "",
     IntegerKey{kAt<&Config::store, &Store::turn_max_items>, 1, 100'000},
     "Events in one commit, at most."},
    {"store.turn_max_bytes", "", SizeKey{kAt<&Config::store, &Store::turn_max_bytes>, kMiB, kGiB},
     "Payload in one commit, at most."},
    {"store.crash_max", "", IntegerKey{kAt<&Config::store, &Store::crash_max>, 1, 100},
     "How often a step's process may die until the step is taken for the cause and fails."},
    {"store.keep_finished", "",
     DurationKey{kAt<&Config::store, &Store::keep_finished>, seconds(0), hours(24 * 3650)},
     "How long tasks that have ended are kept, such as \"30d\"; \"0\": for ever. Those with a "
     "pending dead letter always are."},

    {"templates.paths", "TASKER_TEMPLATE_PATH",
     PathListKey{kAt<&Config::templates, &Templates::paths>},
     "Folders that are searched for *.yaml and *.yml; empty: those of .tasker/templates, "
     "config/tasks and templates "
     "that exist."},
    {"templates.strict", "", FlagKey{kAt<&Config::templates, &Templates::strict>},
     "Unknown keys of a template and a changed text under an old version are errors, not "
     "warnings."},

    {"plugins.dirs", "TASKER_PLUGIN_PATH", PathListKey{kAt<&Config::plugins, &Plugins::dirs>},
     "Folders whose every *.so is loaded; empty: .tasker/plugins, /usr/local/lib/tasker/plugins "
     "and "
     "/usr/lib/tasker/plugins. The folders of TASKER_PLUGIN_PATH come before these."},

    {"limits.context_max_bytes", "",
     SizeKey{kAt<&Config::limits, &Limits::context_max_bytes>, kKiB, 256 * kMiB},
     "A task's context, at most."},
    {"limits.result_max_bytes", "",
     SizeKey{kAt<&Config::limits, &Limits::result_max_bytes>, kKiB, 256 * kMiB},
     "A step's result, at most."},
    {"limits.checkpoint_max_bytes", "",
     SizeKey{kAt<&Config::limits, &Limits::checkpoint_max_bytes>, kKiB, 256 * kMiB},
     "A step's checkpoint, at most."},
    {"limits.hydrated_max_bytes", "",
     SizeKey{kAt<&Config::limits, &Limits::hydrated_max_bytes>, kKiB, kGiB},
     "Everything that one step is given (context, results of its dependencies, checkpoint), at "
     "most."},
    {"limits.template_max_bytes", "",
     SizeKey{kAt<&Config::limits, &Limits::template_max_bytes>, kKiB, 16 * kMiB},
     "A template's text, at most."},
    {"limits.json_depth_max", "", IntegerKey{kAt<&Config::limits, &Limits::json_depth_max>, 4, 512},
     "Objects and arrays inside each other in any JSON, at most."},
    {"limits.steps_max", "", IntegerKey{kAt<&Config::limits, &Limits::steps_max>, 1, 1'000'000},
     "Steps in one template, at most."},

    {"log.format", "", OneOf<&Config::log, &Log::format>(kFormats),
     "How lines are written to stderr; \"auto\": as text on a terminal, as JSON otherwise."},
    {"log.level", "TASKER_LOG_LEVEL", OneOf<&Config::log, &Log::level>(kLevels),
     "Lines below this level are not written."},
    {"log.modules", "", LevelsKey{kAt<&Config::log, &Log::modules>},
     "A level of its own for a module of the host, such as store = \"debug\"."},
};

constexpr std::string_view SectionOf(std::string_view name) {
  return name.substr(0, name.find('.'));
}
constexpr std::string_view LeafOf(std::string_view name) {
  return name.substr(name.rfind('.') + 1);
}

// Levenshtein's distance.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::span<const Key> Keys() { return kKeys; }

std::span<const Choice> LevelChoices() { return kLevels; }

const Key* FindKey(std::string_view name) {
  const auto found = std::ranges::find(kKeys, name, &Key::name);
  return found == std::end(kKeys) ? nullptr : found;
}

bool IsSection(std::string_view name) {
  return std::ranges::any_of(kKeys, [&](const Key& key) { return SectionOf(key.name) == name; });
}

std::string_view NearestKey(std::string_view unknown) {
  // The right leaf in the wrong section is near, too.
  const auto distance = [&](const Key& key) {
    return std::min(Distance(unknown, key.name), Distance(LeafOf(unknown), LeafOf(key.name)) + 1);
  };
  return std::ranges::min_element(kKeys, {}, distance)->name;
}

std::string_view NearestSection(std::string_view unknown) {
  std::string_view nearest = "plugin";
  for (const Key& key : kKeys) {
    const std::string_view section = SectionOf(key.name);
    if (Distance(unknown, section) < Distance(unknown, nearest)) nearest = section;
  }
  return nearest;
}

}  // namespace tasker::config
