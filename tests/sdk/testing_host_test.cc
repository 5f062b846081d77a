// The fake host of <tasker/testing.hpp> beside the real one: the same plugin runs in both.
#include <tasker/testing.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <regex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tasker/plugin.hpp>

#include "plugin/in_process.h"
#include "tests/support/gate.h"
#include "tests/support/plugin_host.h"

namespace tasker {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using testing::Gate;
using testing::Given;
using ::testing::HasSubstr;
using testing::Host;
using testing::InitError;
using ::testing::IsEmpty;
using testing::PluginHost;

// As Plugin::handler, but for what it checks itself; `why`: what the host said.
tasker_status AddRaw(Plugin& p, std::string_view id, tasker_handler handler, std::string& why) {
  handler.id = {id.data(), id.size()};
  tasker_error* const error = p.host().error_new();
  const tasker_status status = p.host().register_handler(p.record(), &handler, error);
  why = view(p.host().error_message(error));
  p.host().error_free(error);
  return status;
}

tasker_status Refuses(void* self, const tasker_step*, tasker_call*, tasker_error* error) {
  constexpr std::string_view kWhy = "the queue is full";
  static_cast<const tasker_host*>(self)->error_set(error, TASKER_E_BUSY,
                                                   {kWhy.data(), kWhy.size()});
  return TASKER_E_BUSY;
}
constexpr tasker_handler_ops kRefuses = {sizeof(tasker_handler_ops), 0, &Refuses, nullptr, nullptr};

tasker_handler RawHandler(Plugin& p) {
  tasker_handler handler{};
  handler.size = sizeof handler;
  handler.ops = &kRefuses;
  handler.self = const_cast<tasker_host*>(&p.host());
  return handler;
}

void AddFailures(Plugin& p) {
  p.handler("permanent", [](Call&) {
    PermanentError error("no such customer \xff");
    error.error_code = "E7";
    error.http_status = 404;
    error.context = R"({"customer": 7})";
    error.metadata = "[1]";
    throw error;
  });
  p.handler("retryable", [](Call&) { throw RetryableError("later", std::chrono::seconds(7)); });
  p.handler("in a day", [](Call&) { throw RetryableError("later", std::chrono::hours(24)); });
  p.handler("json",
            [](Call& call) { return std::to_string(call.context()["order"]["total"].as<int>()); });
  p.handler("exception", [](Call&) { throw std::out_of_range("index 7"); });
  p.handler("number", [](Call&) { throw 7; });
  p.handler("bad context", [](Call&) {
    RetryableError error("text");
    error.context = "{,}";
    throw error;
  });
  p.handler("long message", [](Call&) { throw PermanentError(std::string(70'000, 'x')); });
  p.handler_async("async throws", [](Call) { throw PermanentError("not begun"); });
  p.handler_async("drops", [](Call) {});
  std::string why;
  EXPECT_EQ(AddRaw(p, "refuses", RawHandler(p), why), TASKER_OK) << why;
}

void AddEnds(Plugin& p) {
  p.handler("echo", [](Call& call) { return call.context().text(); });
  p.handler("nothing", [](Call&) {});
  p.handler("all parts", [](Call& call) { call.complete("1", R"({"m": 1})", "[{}]"); });
  p.handler("metadata is an array", [](Call& call) { call.complete("1", "[]"); });
  p.handler("events are an object", [](Call& call) { call.complete("1", "{}", "{}"); });
  p.handler("no json", [](Call&) { return "{\"total\": "; });
  p.handler("no utf-8", [](Call&) { return "\"\xff\""; });
  p.handler("too large", [](Call&) { return std::string((4U << 20) + 1, '1'); });
  p.handler("deep", [](Call&) { return std::string(65, '[') + std::string(65, ']'); });
  p.handler("yields", [](Call& call) { call.yield("{\"row\": 3}", milliseconds(2)); });
  p.handler("yields nothing", [](Call& call) { call.yield({}, milliseconds(-2)); });
  p.handler("yields no json", [](Call& call) { call.yield("{"); });
  p.handler("hands back", [](Call& call) { call.hand_back(); });
  p.handler("checkpoints", [](Call& call) {
    return JsonArray()
        .add(call.checkpoint("[1]"))
        .add(call.checkpoint("[1"))
        .add(call.checkpoint(""))
        .add(call.checkpoint('"' + std::string(2U << 20, 'x') + '"'));
  });
  p.handler("alive", [](Call& call) { return call.alive(0.5, "half way") ? "true" : "false"; });
  p.handler("from a thread", [](Call& call) {
    std::thread([moved = std::move(call)]() mutable { moved.complete("\"moved\""); }).join();
    return "\"ignored\"";
  });
  Options runtime;
  runtime.threads = TASKER_THREADS_RUNTIME;
  runtime.pool = 3;
  p.handler(
      "of a runtime", [](Call&) { return "1"; }, runtime);
  p.set_capacity(3, 1);
}

// Registers all kinds of handlers that are wrong, and returns what it was told.
JsonArray RegisterWrongly(Plugin& p) {
  JsonArray told;
  const auto add = [&](std::string_view id, const auto& spoil) {
    tasker_handler handler = RawHandler(p);
    spoil(handler);
    std::string why;
    const tasker_status status = AddRaw(p, id, handler, why);
    told.add(JsonObject().set("status", status).set("why", why));
  };
  static const tasker_handler_ops no_start = {sizeof no_start, 0, nullptr, nullptr, nullptr};
  add("echo", [](tasker_handler&) {});
  add("", [](tasker_handler&) {});
  add(" spaced", [](tasker_handler&) {});
  add("new\nline", [](tasker_handler&) {});
  add("no \xff utf-8", [](tasker_handler&) {});
  add("small", [](tasker_handler& handler) { handler.size = 96; });
  add("no ops", [](tasker_handler& handler) { handler.ops = nullptr; });
  add("no start", [](tasker_handler& handler) { handler.ops = &no_start; });
  add("threads", [](tasker_handler& handler) { handler.threads = 7; });
  add("resolver", [](tasker_handler& handler) { handler.resolver = {"\n", 1}; });
  told.add(p.unregister_handler("unknown"));
  return told;
}

TASKER_PLUGIN_STATIC(BothEntry, "both", "1.0", p) {
  AddFailures(p);
  AddEnds(p);
  p.handler("registers", [&p](Call&) { return RegisterWrongly(p); });
}

// What went wrong within a text that is no JSON only the real host says.
std::string UpToNoJson(const std::string& text) {
  static const std::regex why("is no JSON: [^\\]]* at byte [0-9]+");
  return std::regex_replace(text, why, "is no JSON");
}

std::string Microseconds(const std::optional<std::chrono::microseconds>& time) {
  return time ? std::to_string(time->count()) : "none";
}

// All that an end says.
std::string All(const testing::Outcome& end) {
  std::string text = end.say();
  if (end.kind == testing::Outcome::Kind::success) text += " " + end.events + " " + end.metadata;
  if (end.kind == testing::Outcome::Kind::failure) {
    text += " " + end.error_code + " " + std::to_string(end.http_status) + " " + end.context + " " +
            end.metadata + " " + Microseconds(end.retry_after);
  }
  return UpToNoJson(text);
}
std::string All(const std::optional<PluginHost::Ended>& end) {
  std::string text = Say(end);
  if (!end) return text;
  if (const auto* success = std::get_if<workflow::Succeeded>(&end->outcome)) {
    text += " " + success->events + " " + success->metadata;
  }
  if (const auto* failed = std::get_if<workflow::Failed>(&end->outcome)) {
    text += " " + failed->error_code + " " + std::to_string(failed->http_status) + " " +
            failed->context + " " + failed->metadata + " " + Microseconds(failed->retry_after);
  }
  return UpToNoJson(text);
}

Result<std::unique_ptr<plugin::Instance>> InRealHost(const tasker_plugin_entry& entry,
                                                     PluginHost& host) {
  return plugin::InProcess::FromEntry(entry, host.registry, host.calls, host.limits, "{}");
}

TEST(TestingHost, EveryEndIsThatOfTheRealHost) {
  const std::string context = R"({"order": {"total": "x"}})";
  std::vector<std::string> handlers, real;
  {
    PluginHost host;
    auto instance = InRealHost(BothEntry(), host);
    ASSERT_TRUE(instance) << instance.error().message;
    for (const auto& entry : host.registry.List()) handlers.push_back(entry.info.id);
    for (const std::string& id : handlers) real.push_back(All(host.Run(**instance, id, context)));
    ASSERT_TRUE((*instance)->Stop(testing::In(testing::kSoon)));
  }
  Host host(&BothEntry());
  EXPECT_THAT(host.handlers(), ::testing::UnorderedElementsAreArray(handlers));
  EXPECT_GE(handlers.size(), 28U);
  for (std::size_t i = 0; i < handlers.size(); ++i) {
    EXPECT_EQ(All(host.run(handlers[i], context)), real[i]) << handlers[i];
  }
  EXPECT_THAT(host.stop(), IsEmpty());
}

// The reason why a host refuses a plugin; empty: it does not.
std::string RefusedByReal(const tasker_plugin_entry* entry) {
  if (entry == nullptr) return plugin::ReadEntry(entry, "built in").error().message;
  PluginHost host;
  const auto instance = InRealHost(*entry, host);
  return instance ? "" : instance.error().message;
}
std::string RefusedByFake(const tasker_plugin_entry* entry) {
  try {
    const Host host(entry);
    return "";
  } catch (const InitError& refused) {
    return refused.what();
  }
}

TASKER_PLUGIN_STATIC(ThrowingEntry, "throwing", "1", p) {
  p.handler("registered before", [](Call&) {});
  throw std::runtime_error("settings.url is missing");
}

TEST(TestingHost, APluginIsRefusedInTheWordsOfTheRealHost) {
  std::vector<tasker_plugin_entry> entries(5, BothEntry());
  entries[0].size = 80;
  entries[1].min_host_minor = 99;
  entries[2].name = {"Both", 4};
  entries[3].init = nullptr;
  entries[4] = ThrowingEntry();
  for (const tasker_plugin_entry& entry : entries) {
    EXPECT_EQ(RefusedByFake(&entry), RefusedByReal(&entry));
    EXPECT_NE(RefusedByFake(&entry), "");
  }
  EXPECT_EQ(RefusedByFake(nullptr), RefusedByReal(nullptr));
  EXPECT_THAT(RefusedByFake(&ThrowingEntry()),
              HasSubstr("its init failed (E_INTERNAL): settings.url is missing"));
}

std::function<void(Plugin&)>& Script() {
  static std::function<void(Plugin&)> script;
  return script;
}
TASKER_PLUGIN_STATIC(ScriptEntry, "script", "2.0", p) { Script()(p); }
const tasker_plugin_entry* Scripted(std::function<void(Plugin&)> body) {
  Script() = std::move(body);
  return &ScriptEntry();
}

TEST(TestingHost, AnAttemptSeesAllThatItIsGiven) {
  Host host(Scripted([](Plugin& p) {
              p.handler("sees", [&p](Call& call) {
                return JsonObject()
                    .set("context", call.context())
                    .set("total", call.dependency("validate")["total"])
                    .set("config", call.config())
                    .set("inputs", call.inputs())
                    .set("checkpoint", call.last_checkpoint())
                    .set("settings", p.settings())
                    .set("attempt", call.step().attempt)
                    .set("key", view(call.step().idempotency_key))
                    .set("in time", call.step().deadline_ns > 0);
              });
            }),
            R"({"currency": "EUR"})");
  Given given;
  given.dependencies["validate"] = R"({"total": 12.5})";
  given.config = R"({"url": "x"})";
  given.checkpoint = "[4]";
  given.attempt = 2;
  given.idempotency_key = "k";
  given.timeout = std::chrono::seconds(3);
  EXPECT_EQ(host.run("sees", R"({"n": 1})", given).result,
            R"({"context":{"n": 1},"total":12.5,"config":{"url": "x"},"inputs":{"url": "x"},)"
            R"("checkpoint":[4],"settings":{"currency": "EUR"},"attempt":2,"key":"k",)"
            R"("in time":true})");
  EXPECT_THROW(host.run("sees", "{"), std::invalid_argument);
  EXPECT_THROW(host.run("seas"), std::invalid_argument);
  EXPECT_EQ(host.name() + " " + host.version(), "script 2.0");
}

TEST(TestingHost, WhatHappensOnTheWayIsKept) {
  Host host(Scripted([](Plugin& p) {
    p.log(TASKER_LOG_INFO, "ready");
    p.handler("works", [](Call& call) {
      call.log(TASKER_LOG_WARNING, "slow", R"({"rows": 3})");
      call.alive(0.5, "half way");
      return std::to_string(call.checkpoint("[1]"));
    });
  }));
  const testing::Outcome good = host.run("works");
  EXPECT_EQ(good.json().as<int>(), TASKER_OK);
  EXPECT_THAT(good.checkpoints, ElementsAre("[1]"));
  ASSERT_EQ(good.log.size(), 1U);
  EXPECT_EQ(good.log[0].message + good.log[0].fields, R"(slow{"rows": 3})");
  ASSERT_EQ(good.heartbeats.size(), 1U);
  EXPECT_EQ(good.heartbeats[0].note, "half way");
  ASSERT_EQ(host.log().size(), 1U);
  EXPECT_EQ(host.log()[0].message, "ready");

  Given stopping;
  stopping.checkpoint_answer = TASKER_E_BUSY;
  const testing::Outcome busy = host.run("works", "{}", stopping);
  EXPECT_EQ(busy.json().as<int>(), TASKER_E_BUSY);
  EXPECT_THAT(busy.checkpoints, IsEmpty());
}

TEST(TestingHost, StateLivesFromInitToShutdownOnOneThread) {
  struct Counter {
    explicit Counter(int start) : count(start) {}
    std::string operator()(Call&) { return std::to_string(++count); }
    std::atomic<int> count;
  };
  std::vector<std::string> calls;
  std::vector<std::thread::id> threads;
  const auto note = [&](const char* call) {
    calls.emplace_back(call);
    threads.push_back(std::this_thread::get_id());
  };
  Host host(Scripted([&](Plugin& p) {
    note("init");
    p.emplace_handler<Counter>("counts", {}, 40);
    p.on_drain([&](auto) { note("drain"); });
    p.on_shutdown([&] { note("shutdown"); });
  }));
  EXPECT_EQ(host.run("counts").result, "41");
  EXPECT_EQ(host.run("counts").result, "42");
  EXPECT_THAT(host.stop(), IsEmpty());
  EXPECT_THAT(calls, ElementsAre("init", "drain", "shutdown"));
  EXPECT_THAT(threads, ::testing::Each(threads[0]));
  EXPECT_NE(threads[0], std::this_thread::get_id());
  EXPECT_EQ(host.run("counts").say(), "handed back");
}

TEST(TestingHost, ACancelledAttemptIsToldBothWays) {
  Gate begun;
  Gate told;
  std::int32_t reason = 0;
  Host host(Scripted([&](Plugin& p) {
    Options options;
    options.cancel = [&](const tasker_call*, std::int32_t why) {
      reason = why;
      told.Open();
    };
    p.handler(
        "waits",
        [&](Call& call) {
          begun.Open();
          while (call.alive()) std::this_thread::yield();
          told.Wait();
          throw RetryableError("asked to stop");
        },
        options);
  }));
  testing::Attempt attempt = host.start("waits");
  ASSERT_TRUE(begun.Wait());
  EXPECT_EQ(attempt.wait(milliseconds(1)).say(), "no end");
  attempt.cancel(TASKER_CANCEL_TIMEOUT);
  EXPECT_EQ(attempt.wait().say(), "failed, retryable, RetryableError: asked to stop");
  EXPECT_EQ(reason, TASKER_CANCEL_TIMEOUT);
}

TEST(TestingHost, AnAsyncAttemptIsAwaited) {
  Gate gate;
  Host host(Scripted([&](Plugin& p) {
    auto& threads = p.keep<std::vector<std::jthread>>();
    p.handler_async("later", [&](Call call) {
      threads.emplace_back([&gate, call = std::move(call)]() mutable {
        gate.Wait();
        call.complete(call.context().text());
      });
    });
  }));
  testing::Attempt attempt = host.start("later", "\"in\"");
  gate.Open();
  EXPECT_EQ(attempt.wait().say(), "succeeded: \"in\"");
}

TEST(TestingHost, ASecondEndAndAUseAfterTheReleaseAreDefects) {
  Host host(Scripted([](Plugin& p) {
    p.handler("twice", [](Call& call) {
      EXPECT_EQ(call.complete("1"), TASKER_OK);
      EXPECT_EQ(call.complete("2"), TASKER_E_STALE);
    });
    p.handler("late", [&p](Call& call) {
      tasker_call* const token = call.token();
      call.complete("1");
      call = Call();
      EXPECT_EQ(p.host().complete(token, nullptr), TASKER_E_STALE);
      p.host().release(token);
    });
    p.handler("fields", [](Call& call) { call.log(TASKER_LOG_INFO, "hello", "[]"); });
  }));
  EXPECT_EQ(host.run("twice").say(), "succeeded: 1");
  EXPECT_EQ(host.run("late").say(), "succeeded: 1");
  host.run("fields");
  EXPECT_THAT(
      host.stop(),
      ElementsAre("handler 'twice' (step 'step') was ended a second time, by complete; the host "
                  "answers E_STALE, and the first end stays",
                  "handler 'late' (step 'step'): its token was used by complete after its last "
                  "release; the host answers E_STALE",
                  "handler 'late' (step 'step'): its token was released once too often",
                  "a log line has fields that are no JSON object: hello"));
}

TEST(TestingHost, AReplyThatIsNotReleasedIsADefect) {
  tasker_bytes held{};
  Host host(Scripted([&](Plugin& p) {
    p.handler("asks", [&](Call&) {
      const auto* status = static_cast<const tasker_status_ext*>(p.extension(TASKER_EXT_STATUS));
      const auto* client = static_cast<const tasker_client*>(p.extension(TASKER_EXT_CLIENT));
      tasker_bytes reply{};
      EXPECT_EQ(client->call(p.record(), {"list", 4}, {"{}", 2}, &reply, nullptr), TASKER_OK);
      const std::string text(view(reply));
      reply.release(&reply);
      EXPECT_EQ(status->status(p.record(), &held), TASKER_OK);
      return text;
    });
  }));
  host.on_client([](std::string_view operation, std::string_view) {
    return "[\"" + std::string(operation) + "\"]";
  });
  EXPECT_EQ(host.run("asks").result, "[\"list\"]");
  EXPECT_THAT(host.stop(), ElementsAre("1 buffer of the host's extensions was never released"));
  held.release(&held);
}

TASKER_PLUGIN_STATIC(LeakyEntry, "leaky", "1", p) {
  p.handler("leaks", [&p](Call& call) { p.host().retain(call.token()); });
  p.on_shutdown([] { ADD_FAILURE() << "a plugin with attempts gets no shutdown"; });
}

TEST(TestingHost, ALeakedTokenIsNamedAndThePluginLeftBehind) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the thread that is left behind is what ThreadSanitizer reports";
#endif
  {
    Host host(&LeakyEntry());
    EXPECT_EQ(host.run("leaks").say(), "succeeded: null");
    EXPECT_THAT(host.stop(milliseconds(20)),
                ElementsAre("handler 'leaks' (step 'step') ended, but did not release its token"));
  }
  EXPECT_EQ(RefusedByFake(&LeakyEntry()),
            "plugin built in: it runs already, or was left behind by an earlier Host");
}

using TestingHostDeathTest = ::testing::Test;

TEST(TestingHostDeathTest, DefectsThatNobodyAskedForEndTheProgram) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Host host(Scripted([](Plugin& p) {
          p.handler("twice", [](Call& call) { call.complete(), call.complete(); });
        }));
        host.run("twice");
      },
      "plugin script did what the ABI forbids:\n  handler 'twice' .* was ended a second time");
}

TEST(TestingHost, ALibraryIsLoadedByItsPath) {
  Host host(Host::load(TASKER_TEST_PLUGINS "/hello_c.so"));
  EXPECT_EQ(host.run("hello.c_greet", "[1]").say(), "succeeded: [1]");
  try {
    Host::load("/nowhere.so");
    ADD_FAILURE() << "loaded";
  } catch (const InitError& refused) {
    EXPECT_THAT(refused.what(), HasSubstr("plugin /nowhere.so cannot be loaded: "));
  }
}

}  // namespace
}  // namespace tasker
