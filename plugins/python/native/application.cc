// The World of the extension module: it contains the host, and starts it in the Python program.
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

#include "application_config.h"
#include "base/uuid.h"
#include "log/log.h"
#include "pipeline/host.h"
#include "pipeline/task_client.h"
#include "plugin/abi.h"
#include "runtime.h"

namespace tasker::python {
namespace {

constexpr char kLibrary[] = "libtasker_python.so";

[[noreturn]] void Throw(const Error& error, const std::string& prefix = "") {
  if (error.code == ErrorCode::kInvalid) throw std::invalid_argument(prefix + error.message);
  throw std::runtime_error(prefix + error.message);
}

class Application final : public World {
 public:
  const char* name() const override { return "application"; }
  bool running() const override { return running_ && !forked(); }
  bool forked() const override { return forked_; }

  Started Start(const Settings& settings) override {
    RefuseFork();
    std::unique_lock lock(mu_);
    if (host_) return {true, worker_id_, handle_};
    CloseClient(lock);
    if (host_) return {true, worker_id_, handle_};
    const Result<config::Config> config = LoadConfig(settings);
    if (!config) Throw(config.error(), "Bootstrap failed: ");
    last_ = settings;
    StartLog(*config);
    store_open_ = true;
    auto started = pipeline::Host::Start(*config, {{&Runtime::Entry(), kLibrary}});
    if (!started) {
      store_open_ = false;
      throw std::runtime_error("Bootstrap failed: " + started.error().message);
    }
    for (const std::string& notice : config->notices) log::Info("config", notice);
    host_ = *std::move(started);
    config_ = *config;
    worker_id_ = config->worker.id;
    handle_ = Uuid::New().ToString();
    running_ = true;
    return {false, worker_id_, handle_};
  }

  bool Stop(std::optional<std::chrono::milliseconds> drain) override {
    RefuseFork();
    const std::lock_guard lock(mu_);
    if (!host_) return false;
    Runtime::OfProcess().queue().StopGiving();
    const Status stopped =
        host_->Stop(std::chrono::steady_clock::now() + drain.value_or(config_->worker.drain));
    running_ = false;
    host_.reset();
    store_open_ = false;
    if (stopped) return true;
    Runtime::OfProcess().Abandon();
    throw StillRunning(stopped.error().message);
  }

  std::string Client(std::string_view operation, std::string_view request,
                     const Settings* settings) override {
    RefuseFork();
    bool fresh = settings != nullptr;
    while (true) {
      if (running_) {
        try {
          return Runtime::OfProcess().link().Client(operation, request);
        } catch (const NoHost&) {
          // It stopped meanwhile; soon the lock is free.
        }
      }
      std::unique_lock lock(mu_);
      if (std::exchange(fresh, false)) CloseClient(lock);
      client_changed_.wait(lock, [this] { return !client_closes_; });
      if (running_) continue;
      if (auto reply = CallClient(operation, request, settings, lock)) return *std::move(reply);
    }
  }

  void Log(int level, const std::string& message,
           const std::map<std::string, std::string>& fields) override {
    if (forked()) return LogInChild(message);
    log::Fields out;
    for (const auto& [key, value] : fields) out.emplace_back(key, value);
    const int last = static_cast<int>(log::Level::kError);
    log::Write(static_cast<log::Level>(std::min(level, last)), "python", message, std::move(out));
  }

  void Exit() override {
    if (forked()) return;
    try {
      static_cast<void>(Stop(std::nullopt));
    } catch (const std::exception& left) {
      log::Error("python", left.what());
    }
    std::unique_lock lock(mu_);
    exited_ = true;
    CloseClient(lock);
    log::Stop();
  }

  void PluginStarts(const std::string&) override {}
  void PluginEnds() override {}

 private:
  // Nothing: the client was closed meanwhile, and the call is to be made again.
  std::optional<std::string> CallClient(std::string_view operation, std::string_view request,
                                        const Settings* settings,
                                        std::unique_lock<std::mutex>& lock) {
    if (exited_) throw HostError(TASKER_E_BUSY, "the task store is closed: the program ends");
    if (!client_) OpenClient(settings != nullptr ? Settings(*settings) : last_);
    // Not under the lock: others call meanwhile, and some calls wait for a task.
    pipeline::TaskClient& client = *client_;
    ++calls_;
    lock.unlock();
    auto reply = client.Call(operation, request);
    lock.lock();
    if (--calls_ == 0) client_changed_.notify_all();
    if (reply) return *std::move(reply);
    if (client_closes_ && reply.error().code == ErrorCode::kUnavailable) return std::nullopt;
    throw HostError(plugin::StatusOf(reply.error().code), reply.error().message);
  }

  void OpenClient(const Settings& settings) {
    const Result<config::Config> config = LoadConfig(settings);
    if (!config) Throw(config.error());
    last_ = settings;
    StartLog(*config);
    auto opened = pipeline::TaskClient::Open(*config);
    if (!opened) Throw(opened.error());
    client_ = *std::move(opened);
    store_open_ = true;
  }

  // Once its calls have returned, and without letting others begin.
  void CloseClient(std::unique_lock<std::mutex>& lock) {
    client_changed_.wait(lock, [this] { return !client_closes_; });
    client_closes_ = true;
    if (client_) client_->StopWaiting();
    client_changed_.wait(lock, [this] { return calls_ == 0; });
    client_.reset();
    client_closes_ = false;
    client_changed_.notify_all();
  }

  // With the lock; the first configuration of the process is the log's.
  void StartLog(const config::Config& config) {
    if (log_started_) return;
    log_started_ = true;
    ::pthread_atfork(nullptr, nullptr, [] {
      auto& self = static_cast<Application&>(World::OfProcess());
      self.forked_ = self.forked_ || self.store_open_;
    });
    log::Start(config.log);
  }

  // Locks of the log may be held by threads that do not exist here.
  static void LogInChild(const std::string& message) {
    const std::string line = "tasker_core (forked child): " + message + "\n";
    if (::write(STDERR_FILENO, line.data(), line.size()) < 0) return;
  }

  std::atomic<bool> running_{false};
  std::atomic<bool> store_open_{false};
  std::atomic<bool> forked_{false};

  std::mutex mu_;  // of what follows; held while a host starts and stops
  std::unique_ptr<pipeline::Host> host_;
  std::unique_ptr<pipeline::TaskClient> client_;
  std::condition_variable client_changed_;  // calls_, client_closes_
  int calls_ = 0;
  bool client_closes_ = false, exited_ = false;
  Settings last_;  // what a client uses that is given none
  std::optional<config::Config> config_;
  std::string worker_id_, handle_;
  bool log_started_ = false;
};

}  // namespace

World& World::OfProcess() {
  static World* const world = std::make_unique<Application>().release();
  return *world;
}

}  // namespace tasker::python
