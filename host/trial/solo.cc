#include "trial/solo.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/own_thread.h"
#include "plugin/in_process.h"
#include "plugin/library.h"

namespace tasker::trial {
Solo::Solo() : changed_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  CHECK(changed_.valid());
  calls_.finished = [this](std::int64_t claim, workflow::Outcome outcome, Steady started) {
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - started);
    {
      MutexLock lock(mu_);
      if (claim == claim_) end_ = End{std::move(outcome), took};
    }
    Changed();
  };
  calls_.checkpoint = [this](std::int64_t, std::string body) {
    MutexLock lock(mu_);
    checkpoints_.push_back(std::move(body));
    return Ok();
  };
  calls_.demand_changed = [this] { Changed(); };
}

Solo::~Solo() {
  if (worker_.joinable()) worker_.join();
}

Result<std::unique_ptr<Solo>> Solo::Load(const std::string& file, const std::string& config_json,
                                         const plugin::Limits& limits) {
  TRY(const plugin::Library* const library, plugin::Library::Open(file));
  std::unique_ptr<Solo> solo(new Solo);
  solo->may_find_more_ = library->entry().table.extension != nullptr;
  TRY(solo->instance_,
      plugin::InProcess::Load(file, solo->registry_, solo->calls_, limits, config_json));
  return solo;
}

std::vector<plugin::HandlerInfo> Solo::Handlers() const {
  std::vector<plugin::HandlerInfo> handlers;
  for (plugin::HandlerRegistry::Entry& entry : registry_.List())
    handlers.push_back(std::move(entry.info));
  return handlers;
}

bool Solo::Ready(const std::string& key) const {
  const auto found = registry_.Find(key);
  if (!found) return false;
  return found->info.threads != plugin::HandlerInfo::Threads::kRuntime ||
         instance_->Capacity(found->info.pool) > 0;
}

bool Solo::WaitReady(std::string_view id, const std::string& method, const std::string& resolver,
                     Steady deadline, int also) {
  const std::string key = plugin::HandlerKey(id, resolver);
  if (!registry_.Find(key)) {
    if (!may_find_more_) return false;
    instance_->Want(std::string(id), method, resolver);
  }
  while (!Ready(key)) {
    if (!WaitChange(deadline, also)) return Ready(key);
  }
  return true;
}

void Solo::Start(std::unique_ptr<plugin::StepInput> input) {
  if (worker_.joinable()) worker_.join();
  {
    MutexLock lock(mu_);
    claim_ = input->claim;
    end_.reset();
  }
  worker_ = std::thread([this, input = std::move(input)]() mutable {
    BeginThread("tasker-exec");
    const std::string key = plugin::HandlerKey(input->handler, input->resolver);
    instance_->Start(key, std::move(input));
  });
}

Solo::Waited Solo::WaitEnd(Steady deadline, int also) {
  while (!end()) {
    if (WaitChange(deadline, also)) continue;
    if (end()) break;
    return std::chrono::steady_clock::now() >= deadline ? Waited::kTimeUp : Waited::kOther;
  }
  return Waited::kEnded;
}

std::optional<Solo::End> Solo::end() const {
  MutexLock lock(mu_);
  return end_;
}

std::vector<std::string> Solo::checkpoints() const {
  MutexLock lock(mu_);
  return checkpoints_;
}

Status Solo::Stop(Steady deadline) {
  Status stopped = instance_->Stop(deadline);
  if (stopped && worker_.joinable()) worker_.join();
  return stopped;
}

void Solo::Changed() const { ::eventfd_write(changed_.get(), 1); }

bool Solo::WaitChange(Steady deadline, int also) const {
  std::array<pollfd, 2> fds{pollfd{changed_.get(), POLLIN, 0}, pollfd{also, POLLIN, 0}};
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  constexpr std::int64_t kLongest = 3'600'000;
  const auto wait = std::clamp<std::int64_t>(left.count(), 0, kLongest);
  if (::poll(fds.data(), fds.size(), static_cast<int>(wait)) < 0) return true;
  eventfd_t count = 0;
  if (::eventfd_read(changed_.get(), &count) == 0) return true;
  return fds[1].revents == 0 && std::chrono::steady_clock::now() < deadline;
}

}  // namespace tasker::trial
