#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tasker/plugin.h>

#include "base/mutex.h"
#include "base/result.h"
#include "plugin/abi.h"
#include "plugin/instance.h"
#include "plugin/record.h"
#include "plugin/registry.h"

namespace tasker::plugin {

// A plugin that runs in this process. `registry` and `calls` outlive it. config_json: the plugin's
// table of worker.toml.
class InProcess final : public Instance {
 public:
  // Loads the file, calls init and registers the handlers, all or none. The errors are whole
  // sentences that name the file.
  static Result<std::unique_ptr<Instance>> Load(const std::string& path, HandlerRegistry& registry,
                                                const HostCalls& calls, const Limits& limits,
                                                const std::string& config_json);
  // The same for a plugin that is linked into this program; `file` stands for it in messages.
  static Result<std::unique_ptr<Instance>> FromEntry(const tasker_plugin_entry& entry,
                                                     HandlerRegistry& registry,
                                                     const HostCalls& calls, const Limits& limits,
                                                     const std::string& config_json,
                                                     std::string file = "built in");

  ~InProcess() override;  // Stop, without waiting.
  InProcess(const InProcess&) = delete;
  InProcess& operator=(const InProcess&) = delete;

  const std::string& name() const override { return name_; }
  const std::string& version() const override { return version_; }
  const std::string& file() const override { return file_; }

  void Start(std::string_view handler, std::unique_ptr<StepInput> input) override;
  void Cancel(std::int64_t claim, CancelReason reason) override;
  void Want(std::string id, std::string method, std::string resolver) override;
  std::uint32_t Capacity(std::uint32_t pool) const override;
  std::vector<Running> RunningCalls() const override;
  Status Stop(Steady deadline) override;
  Ledger Leaked() const override { return record_.leaked(); }

 private:
  InProcess(const PluginEntry& entry, std::string file, HandlerRegistry& registry,
            const HostCalls& calls, const Limits& limits);
  static Result<std::unique_ptr<Instance>> Make(const PluginEntry& entry, std::string file,
                                                HandlerRegistry& registry, const HostCalls& calls,
                                                const Limits& limits,
                                                const std::string& config_json);

  const std::string name_, version_, file_;
  const tasker_plugin_entry* const identity_;
  const HostCalls& calls_;
  std::unique_ptr<Record> owned_;  // empty once the record was left behind
  Record& record_;

  Mutex stop_mu_;
  std::optional<Status> stopped_ GUARDED_BY(stop_mu_);
};

}  // namespace tasker::plugin
