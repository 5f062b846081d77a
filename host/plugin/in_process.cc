#include "plugin/in_process.h"

#include <chrono>
#include <utility>

#include "plugin/library.h"
#include "plugin/residents.h"

namespace tasker::plugin {

InProcess::InProcess(const PluginEntry& entry, std::string file, HandlerRegistry& registry,
                     const HostCalls& calls, const Limits& limits)
    : name_(entry.name),
      version_(entry.version),
      file_(std::move(file)),
      identity_(entry.identity),
      calls_(calls),
      owned_(std::make_unique<Record>(*this, entry, file_, registry, calls, limits)),
      record_(*owned_) {}

InProcess::~InProcess() { static_cast<void>(Stop(std::chrono::steady_clock::now())); }

Result<std::unique_ptr<Instance>> InProcess::Load(const std::string& path,
                                                  HandlerRegistry& registry, const HostCalls& calls,
                                                  const Limits& limits,
                                                  const std::string& config_json) {
  TRY(const Library* const library, Library::Open(path));
  return Make(library->entry(), library->file(), registry, calls, limits, config_json);
}

Result<std::unique_ptr<Instance>> InProcess::FromEntry(const tasker_plugin_entry& entry,
                                                       HandlerRegistry& registry,
                                                       const HostCalls& calls, const Limits& limits,
                                                       const std::string& config_json,
                                                       std::string file) {
  TRY(const PluginEntry read, ReadEntry(&entry, file));
  return Make(read, std::move(file), registry, calls, limits, config_json);
}

Result<std::unique_ptr<Instance>> InProcess::Make(const PluginEntry& entry, std::string file,
                                                  HandlerRegistry& registry, const HostCalls& calls,
                                                  const Limits& limits,
                                                  const std::string& config_json) {
  TRY_OK(Residents::OfProcess().Admit(entry.identity, file));
  std::unique_ptr<InProcess> made(new InProcess(entry, std::move(file), registry, calls, limits));
  Status initialized = made->record_.Init(config_json);
  if (!initialized) {
    // A plugin whose init failed may have left threads that use what it was given.
    Residents::OfProcess().Keep(entry.identity, std::move(made->owned_));
    MutexLock lock(made->stop_mu_);
    made->stopped_ = initialized;
    return initialized.error();
  }
  return std::unique_ptr<Instance>(std::move(made));
}

void InProcess::Start(std::string_view handler, std::unique_ptr<StepInput> input) {
  input = record_.attempts().Start(handler, std::move(input));
  if (input == nullptr) return;
  calls_.finished(input->claim, workflow::HandedBack{}, std::chrono::steady_clock::now());
}

void InProcess::Cancel(std::int64_t claim, CancelReason reason) {
  record_.attempts().Cancel(claim, reason);
}

void InProcess::Want(std::string id, std::string method, std::string resolver) {
  record_.Want(std::move(id), std::move(method), std::move(resolver));
}

std::uint32_t InProcess::Capacity(std::uint32_t pool) const { return record_.Capacity(pool); }

std::vector<Instance::Running> InProcess::RunningCalls() const {
  return record_.attempts().Running();
}

Status InProcess::Stop(Steady deadline) {
  MutexLock lock(stop_mu_);
  if (stopped_) return *stopped_;
  stopped_ = record_.Stop(deadline);
  if (*stopped_) {
    Residents::OfProcess().Dismiss(identity_);
  } else {
    Residents::OfProcess().Keep(identity_, std::move(owned_));
  }
  return *stopped_;
}

}  // namespace tasker::plugin
