#include "config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <string>
#include <string_view>

#include "tests/support/scoped_temp_dir.h"

namespace tasker::config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class LoadTest : public ::testing::Test {
 protected:
  LoadTest() : before_(std::filesystem::current_path()) {
    std::filesystem::current_path(dir_.path());
  }
  ~LoadTest() override { std::filesystem::current_path(before_); }

  Config Loaded(std::string_view text, const Environment& env = {}) const {
    const Result<Config> config = Load(dir_.Write("conf/worker.toml", text), env);
    EXPECT_TRUE(config) << config.error().message;
    return config ? *config : Config();
  }
  // The error's message without the file's name; "" if there is none.
  std::string Refused(std::string_view text, const Environment& env = {}) const {
    const std::string file = dir_.Write("conf/worker.toml", text);
    const Result<Config> config = Load(file, env);
    if (config) return "";
    EXPECT_THAT(config.error().message, StartsWith(file + ":"));
    EXPECT_EQ(config.error().message.find('\n'), std::string::npos);
    return config.error().message.substr(std::min(file.size(), config.error().message.size()));
  }
  std::string In(std::string_view path) const { return (dir_.path() / path).string(); }
  static std::string OriginOf(const Config& config, const std::string& key) {
    return config.origins.at(key);
  }

  tasker::testing::ScopedTempDir dir_;
  std::filesystem::path before_;
};

TEST_F(LoadTest, NeedsNoFile) {
  const Result<Config> config = Load("", {});
  ASSERT_TRUE(config) << config.error().message;
  std::array<char, 256> host{};
  ASSERT_EQ(::gethostname(host.data(), host.size() - 1), 0);
  EXPECT_EQ(config->file, "");
  EXPECT_EQ(config->worker.id, "worker-" + std::string(host.data()));
  EXPECT_EQ(config->store.path, In(".tasker/tasker.db"));
  EXPECT_THAT(config->templates.paths, IsEmpty());
  EXPECT_THAT(config->plugins.dirs,
              ElementsAre(In(".tasker/plugins"), "/usr/local/lib/tasker/plugins",
                          "/usr/lib/tasker/plugins"));
  EXPECT_EQ(OriginOf(*config, "store.path"), "default");
  EXPECT_THAT(config->notices, IsEmpty());
}

TEST_F(LoadTest, SearchesTheTemplateFoldersThatExist) {
  dir_.Write("templates/a.yaml", "");
  dir_.Write(".tasker/templates/b.yaml", "");
  dir_.Write("config/tasks", "a file, not a folder");
  const Result<Config> config = Load("", {});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(config->templates.paths, ElementsAre(In(".tasker/templates"), In("templates")));
}

TEST_F(LoadTest, TakesRelativePathsFromTheFolderOfTheFile) {
  dir_.Write("conf/templates/a.yaml", "");
  const Config config = Loaded("[plugins]\ndirs = [\"p\", \"../q\"]\n");
  EXPECT_EQ(config.file, In("conf/worker.toml"));
  EXPECT_EQ(config.store.path, In("conf/.tasker/tasker.db"));
  EXPECT_THAT(config.plugins.dirs, ElementsAre(In("conf/p"), In("q")));
  EXPECT_THAT(config.templates.paths, ElementsAre(In("conf/templates")));
}

TEST_F(LoadTest, TakesTheFileThatTheEnvironmentNames) {
  const Environment env = {
      {"TASKER_CONFIG_PATH", dir_.Write("env.toml", "[worker]\nid = \"env\"\n")}};
  const Result<Config> by_env = Load("", env);
  ASSERT_TRUE(by_env) << by_env.error().message;
  EXPECT_EQ(by_env->worker.id, "env");
  EXPECT_EQ(by_env->file, In("env.toml"));

  const Result<Config> by_path = Load(dir_.Write("arg.toml", "[worker]\nid = \"arg\"\n"), env);
  ASSERT_TRUE(by_path) << by_path.error().message;
  EXPECT_EQ(by_path->worker.id, "arg");
}

TEST_F(LoadTest, NamesAMissingFile) {
  const Result<Config> by_path = Load("nowhere.toml", {});
  ASSERT_FALSE(by_path);
  EXPECT_EQ(by_path.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(by_path.error().message, HasSubstr("nowhere.toml does not exist"));

  const Result<Config> by_env = Load("", {{"TASKER_CONFIG_PATH", "gone.toml"}});
  ASSERT_FALSE(by_env);
  EXPECT_EQ(by_env.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(by_env.error().message,
              AllOf(StartsWith("TASKER_CONFIG_PATH: "), HasSubstr("gone.toml does not exist")));
}

TEST_F(LoadTest, RefusesAFolder) {
  const Result<Config> config = Load(dir_.path().string(), {});
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, HasSubstr("is a folder"));
}

TEST_F(LoadTest, PutsTheEnvironmentBeforeTheFile) {
  const Environment env = {{"TASKER_WORKER_ID", "w-env"},
                           {"TASKER_NAMESPACE", "billing,,shipping"},
                           {"TASKER_TEMPLATE_PATH", "/a:b::"},
                           {"TASKER_LOG_LEVEL", "debug"}};
  const Config config = Loaded(
      "[worker]\nid = \"w-file\"\nnamespaces = [\"x\"]\n[templates]\npaths = [\"t\"]\n[log]\nlevel "
      "= \"error\"\n",
      env);
  EXPECT_EQ(config.worker.id, "w-env");
  EXPECT_THAT(config.worker.namespaces, ElementsAre("billing", "shipping"));
  EXPECT_THAT(config.templates.paths, ElementsAre("/a", In("b")));
  EXPECT_EQ(config.log.level, LogLevel::kDebug);
  EXPECT_EQ(OriginOf(config, "worker.id"), "env TASKER_WORKER_ID");
}

TEST_F(LoadTest, TakesAnEmptyVariableAsUnset) {
  const Config config =
      Loaded("[worker]\nid = \"w-file\"\n", {{"TASKER_WORKER_ID", ""}, {"TASKER_LOG_LEVEL", ""}});
  EXPECT_EQ(config.worker.id, "w-file");
  EXPECT_THAT(OriginOf(config, "worker.id"), EndsWith("worker.toml:2"));
}

TEST_F(LoadTest, PutsThePluginFoldersOfTheEnvironmentInFront) {
  const Environment env = {{"TASKER_PLUGIN_PATH", "mine:/usr/lib/tasker/plugins"}};
  const Result<Config> config = Load("", env);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(config->plugins.dirs,
              ElementsAre(In("mine"), "/usr/lib/tasker/plugins", In(".tasker/plugins"),
                          "/usr/local/lib/tasker/plugins"));
  EXPECT_EQ(OriginOf(*config, "plugins.dirs"), "env TASKER_PLUGIN_PATH, default");

  const Config with_file = Loaded("[plugins]\ndirs = [\"/opt/p\"]\n", env);
  EXPECT_THAT(with_file.plugins.dirs, ElementsAre(In("mine"), "/usr/lib/tasker/plugins", "/opt/p"));
}

TEST_F(LoadTest, NamesAVariableWithAWrongValue) {
  const Result<Config> config = Load("", {{"TASKER_LOG_LEVEL", "loud"}});
  ASSERT_FALSE(config);
  EXPECT_THAT(
      config.error().message,
      AllOf(
          StartsWith(
              "the environment variable TASKER_LOG_LEVEL is the string \"loud\"; expected one of"),
          HasSubstr("\"debug\"")));
}

TEST_F(LoadTest, ReportsTheNameOfTheEnvironment) {
  const Config config = Loaded("", {{"TASKER_ENV", "production"}});
  EXPECT_THAT(config.notices, ElementsAre(StartsWith("TASKER_ENV is \"production\"")));
}

TEST_F(LoadTest, SaysHowToWriteADuration) {
  EXPECT_THAT(Refused("[worker]\ndrain = 45\n"),
              AllOf(StartsWith(":2: worker.drain is the integer 45"), HasSubstr("write \"45s\"")));
}

TEST_F(LoadTest, NamesTheNearestKnownKey) {
  EXPECT_EQ(
      Refused("[worker]\nthreads = 2\nin_flight = 3\n"),
      ":3: unknown key \"worker.in_flight\"; the nearest known one is \"worker.in_flight_max\"");
  EXPECT_EQ(Refused("[worker]\n[stores]\npath = \"x\"\n"),
            ":2: unknown section \"stores\"; the nearest known one is \"store\"");
  EXPECT_EQ(Refused("threads = 4\n"),
            ":1: unknown key \"threads\"; the nearest known one is \"worker.threads\"");
  EXPECT_EQ(Refused("[plugins.python]\nvenv = \"x\"\n"),
            ":1: unknown key \"plugins.python\"; the nearest known one is \"plugin.python\"");
}

TEST_F(LoadTest, ReportsOnlyWhatStandsFirst) {
  EXPECT_THAT(Refused("[worker]\nthreads = -1\n[log]\nlevel = 3\n[limits]\nnope = 1\n"),
              AllOf(StartsWith(":2: worker.threads"), Not(HasSubstr("log.level"))));
}

TEST_F(LoadTest, RefusesASectionThatIsNoTable) {
  EXPECT_EQ(Refused("store = 3\n"), ":1: store is an integer; expected the section [store]");
  EXPECT_EQ(Refused("[[store]]\n"), ":1: store is a list; expected the section [store]");
  EXPECT_EQ(Refused("plugin = 3\n"), ":1: plugin is an integer; expected sections [plugin.NAME]");
  EXPECT_EQ(Refused("[plugin]\nx = 3\n"),
            ":2: plugin.x is an integer; expected a section [plugin.x]");
}

TEST_F(LoadTest, NamesTheLineOfASyntaxError) {
  EXPECT_THAT(Refused("[worker]\n\nthreads = = 3\n"), StartsWith(":3: this is not TOML: "));
  EXPECT_THAT(Refused("[log]\nlevel = \"info\"\nlevel = \"debug\"\n"),
              StartsWith(":3: this is not TOML: "));
}

TEST_F(LoadTest, ReplacesVariablesInStrings) {
  const Environment env = {{"DATA", "/data"}, {"NS", "b"}};
  const Config config = Loaded(
      "[store]\npath = \"${DATA}/t.db\"\n[worker]\nnamespaces = [\"a\", \"${NS}\"]\nid = "
      "\"${ID:-w}-$${x}\"\n",
      env);
  EXPECT_EQ(config.store.path, "/data/t.db");
  EXPECT_THAT(config.worker.namespaces, ElementsAre("a", "b"));
  EXPECT_EQ(config.worker.id, "w-${x}");
}

TEST_F(LoadTest, NamesAVariableThatIsNotSet) {
  EXPECT_EQ(Refused("[store]\npath = \"${DATA}/t.db\"\n"),
            ":2: the environment variable DATA is not set; set it, or write ${DATA:-default}");
  EXPECT_THAT(Refused("[plugin.x]\na = 1\nb = [\"${NONE}\"]\n"),
              StartsWith(":3: the environment variable NONE"));
}

TEST_F(LoadTest, GivesPluginsTheirTablesAsJson) {
  const Config config = Loaded(
      "[plugin.python]\nvenv = \"${VENV:-.venv}\"\nworkers = 4\nratio = 0.5\non = true\nsince = "
      "1979-05-27\n"
      "list = [1, \"a\"]\n[plugin.python.deep]\nx = { y = 1 }\n[plugin.empty]\n");
  EXPECT_EQ(
      config.plugins.configs.at("python"),
      R"({"deep":{"x":{"y":1}},"list":[1,"a"],"on":true,"ratio":5E-1,"since":"1979-05-27","venv":".venv",)"
      R"("workers":4})");
  EXPECT_EQ(config.plugins.configs.at("empty"), "{}");
  EXPECT_THAT(OriginOf(config, "plugin.python.workers"), EndsWith("worker.toml:3"));
}

TEST_F(LoadTest, RefusesPluginNumbersThatJsonHasNot) {
  EXPECT_THAT(Refused("[plugin.x]\na = 1\nb = nan\n"),
              AllOf(StartsWith(":3: "), HasSubstr("no nan")));
}

TEST_F(LoadTest, TakesALimitForAHandler) {
  const Config config = Loaded("[worker.handler_limits]\n\"app.charge\" = 4\n");
  EXPECT_THAT(config.worker.handler_limits, ElementsAre(std::pair("app.charge", 4)));
  EXPECT_THAT(
      Refused("[worker.handler_limits]\na = 0\n"),
      StartsWith(":2: worker.handler_limits.a is the integer 0; expected an integer from 1"));
}

TEST_F(LoadTest, TakesLevelsOfModules) {
  const Config config = Loaded("[log.modules]\nstore = \"debug\"\nplugin = \"error\"\n");
  EXPECT_THAT(config.log.modules, ElementsAre(std::pair("plugin", LogLevel::kError),
                                              std::pair("store", LogLevel::kDebug)));
  EXPECT_THAT(OriginOf(config, "log.modules.store"), EndsWith("worker.toml:2"));
  EXPECT_THAT(Refused("[log.modules]\nstore = \"debug\"\nplugin = 1\n"),
              StartsWith(":3: log.modules.plugin is the integer 1; expected one of \"trace\""));
}

constexpr std::string_view kUpstream = R"([common.backoff]
default_backoff_seconds = [1, 2, 4]
[common.database]
url = "${DATABASE_URL}"
[common.database._docs.url]
type = "String"
[common.task_templates]
search_paths = ["config/tasks/**/*.{yml,yaml}", "/srv/flows/*.yaml", "config/tasks/*.yml", "one/a.yaml"]
[worker]
worker_id = "${NAME:-worker-001}"
worker_type = "general"
[worker.event_systems.worker]
deployment_mode = "Hybrid"
[worker.mpsc_channels.handler_dispatch.load_shedding]
capacity_threshold_percent = 80.0
[orchestration.web]
enabled = true
)";

TEST_F(LoadTest, AcceptsAFileOfTaskerCore) {
  const Config config = Loaded(kUpstream);
  EXPECT_EQ(config.worker.id, "worker-001");
  EXPECT_THAT(OriginOf(config, "worker.id"), EndsWith("worker.toml:10"));
  EXPECT_THAT(config.templates.paths, ElementsAre(In("config/tasks"), "/srv/flows", In("one")));
  ASSERT_THAT(config.notices, ElementsAre(HasSubstr("is a file of tasker-core")));
  EXPECT_THAT(
      config.notices.front(),
      EndsWith("here: common.backoff, common.database, orchestration.web, worker.event_systems, "
               "worker.mpsc_channels, worker.worker_type"));
}

TEST_F(LoadTest, TakesUpstreamsRelativePathsFromItsWorkspace) {
  const Config config = Loaded(kUpstream, {{"WORKSPACE_PATH", "/work/space"}});
  EXPECT_EQ(config.templates.paths.front(), "/work/space/config/tasks");
}

TEST_F(LoadTest, PrefersOurOwnKeysToUpstreams) {
  const Config config = Loaded("[worker]\nid = \"ours\"\nworker_id = \"theirs\"\n", {});
  EXPECT_EQ(config.worker.id, "ours");
}

TEST_F(LoadTest, ChecksWhatItTakesFromUpstream) {
  EXPECT_THAT(
      Refused("[common.task_templates]\nsearch_paths = 3\n"),
      StartsWith(
          ":2: common.task_templates.search_paths is the integer 3; expected a list of paths"));
  EXPECT_THAT(Refused("[worker]\nworker_id = 3\n"),
              StartsWith(":2: worker.worker_id is the integer 3; expected a"));
}

}  // namespace
}  // namespace tasker::config
