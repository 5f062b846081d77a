#include "tests/python/native/fake_host.h"

#include <memory>
#include <utility>

namespace tasker::testing {
namespace {

std::string Text(const tasker_str& text) { return {text.data, text.len}; }
std::string Text(const tasker_bytes& bytes) {
  return {static_cast<const char*>(bytes.data), bytes.len};
}

struct Reply {
  FakeHost* host = nullptr;
  std::string text;
};

tasker_bytes NewReply(FakeHost& host, std::string text) {
  auto* const reply = std::make_unique<Reply>(Reply{&host, std::move(text)}).release();
  const auto release = [](tasker_bytes* self) {
    const std::unique_ptr<Reply> owned(static_cast<Reply*>(self->owner));
    ++owned->host->replies_released;
    self->release = nullptr;
  };
  return {reply->text.data(), reply->text.size(), release, reply};
}

std::string& MessageOf(tasker_error* error) { return *reinterpret_cast<std::string*>(error); }

}  // namespace

FakeHost::FakeHost() {
  table_.size = sizeof table_;
  SetUpCalls();
  SetUpPlugin();
  SetUpErrors();
}

void FakeHost::SetUpCalls() {
  table_.complete = [](tasker_call* call, tasker_success* moved) {
    return Of(call).host->End(Of(call), "complete " + Text(moved->result) + Text(moved->metadata));
  };
  table_.fail = [](tasker_call* call, const tasker_failure* failure) {
    return Of(call).host->End(Of(call),
                              "fail " + Text(failure->type) + ": " + Text(failure->message) +
                                  (failure->retryable == 1 ? " again " : " ") +
                                  std::to_string(failure->retry_after_ns) + Text(failure->context));
  };
  table_.yield = [](tasker_call* call, tasker_bytes* checkpoint, std::int64_t resume_after_ns) {
    return Of(call).host->End(Of(call), "yield " +
                                            (checkpoint == nullptr ? "" : Text(*checkpoint) + " ") +
                                            std::to_string(resume_after_ns));
  };
  table_.hand_back = [](tasker_call* call) { return Of(call).host->End(Of(call), "hand_back"); };
  table_.release = [](tasker_call* call) {
    FakeHost& host = *Of(call).host;
    host.probe();
    MutexLock lock(host.mu_);
    ++Of(call).releases;
  };
  table_.heartbeat = [](tasker_call* call, double, tasker_str) { return Of(call).host->answer; };
  table_.checkpoint = [](tasker_call* call, tasker_bytes*) { return Of(call).host->answer; };
}

void FakeHost::SetUpPlugin() {
  table_.set_capacity = [](tasker_plugin* plugin, std::uint32_t pool, std::uint32_t free) {
    Of(plugin).probe();
    MutexLock lock(Of(plugin).mu_);
    Of(plugin).capacities_[pool].push_back(free);
  };
  table_.log = [](tasker_plugin* plugin, tasker_call*, std::int32_t, tasker_str line, tasker_str) {
    Of(plugin).probe();
    MutexLock lock(Of(plugin).mu_);
    Of(plugin).log_.push_back(Text(line));
  };
  table_.register_handler = [](tasker_plugin* plugin, const tasker_handler* handler,
                               tasker_error* error) {
    FakeHost& host = Of(plugin);
    MessageOf(error) = host.sentence;
    MutexLock lock(host.mu_);
    if (host.answer == TASKER_OK) host.registered_.push_back(Text(handler->id));
    return host.answer;
  };
  table_.unregister_handler = [](tasker_plugin* plugin, tasker_str id, tasker_error*) {
    MutexLock lock(Of(plugin).mu_);
    const bool known = std::erase(Of(plugin).registered_, Text(id)) > 0;
    return tasker_status{known ? TASKER_OK : TASKER_E_NOT_FOUND};
  };
  table_.extension = [](tasker_plugin* plugin, const char* id) -> const void* {
    FakeHost& host = Of(plugin);
    if (!host.has_extensions) return nullptr;
    if (std::string_view(id) == TASKER_EXT_CLIENT) return &host.client_;
    return std::string_view(id) == TASKER_EXT_STATUS ? &host.status_ : nullptr;
  };
  client_ = {sizeof client_, 0,
             [](tasker_plugin* plugin, tasker_str operation, tasker_str request,
                tasker_bytes* reply, tasker_error* error) {
               FakeHost& host = Of(plugin);
               host.in_client();
               MessageOf(error) = host.sentence;
               if (host.answer == TASKER_OK)
                 *reply = NewReply(host, Text(operation) + " " + Text(request));
               return host.answer;
             }};
  status_ = {sizeof status_, 0, [](tasker_plugin* plugin, tasker_bytes* reply) {
               *reply = NewReply(Of(plugin), R"({"ready":true})");
               return tasker_status{TASKER_OK};
             }};
}

void FakeHost::SetUpErrors() {
  table_.error_new = [] {
    return reinterpret_cast<tasker_error*>(std::make_unique<std::string>().release());
  };
  table_.error_message = [](const tasker_error* error) {
    const auto& text = *reinterpret_cast<const std::string*>(error);
    return tasker_str{text.data(), text.size()};
  };
  table_.error_free = [](tasker_error* error) {
    std::unique_ptr<std::string>(&MessageOf(error)).reset();
  };
}

tasker_call* FakeHost::NewCall() {
  MutexLock lock(mu_);
  calls_.push_back({this, "", 0});
  return reinterpret_cast<tasker_call*>(&calls_.back());
}

tasker_status FakeHost::End(Call& call, std::string end) {
  probe();
  MutexLock lock(mu_);
  if (call.releases > 0) end += " after its release";
  if (!call.end.empty()) end = call.end + ", then " + end;
  const bool first = call.end.empty();
  call.end = std::move(end);
  return first ? TASKER_OK : TASKER_E_STALE;
}

std::string FakeHost::EndOf(tasker_call* call) {
  MutexLock lock(mu_);
  return Of(call).end;
}

int FakeHost::ReleasesOf(tasker_call* call) {
  MutexLock lock(mu_);
  return Of(call).releases;
}

int FakeHost::live_calls() {
  MutexLock lock(mu_);
  int live = 0;
  for (const Call& call : calls_) live += call.releases == 0 ? 1 : 0;
  return live;
}

std::vector<std::uint32_t> FakeHost::capacities() {
  MutexLock lock(mu_);
  return capacities_[0];
}

std::uint32_t FakeHost::capacity(std::uint32_t pool) {
  MutexLock lock(mu_);
  return capacities_[pool].empty() ? 0 : capacities_[pool].back();
}

std::vector<std::string> FakeHost::log() {
  MutexLock lock(mu_);
  return log_;
}

std::vector<std::string> FakeHost::registered() {
  MutexLock lock(mu_);
  return registered_;
}

}  // namespace tasker::testing
