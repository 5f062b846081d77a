#include "host_link.h"

#include <memory>
#include <mutex>

#include "json_text.h"

namespace tasker::python {
namespace {

std::string Take(tasker_bytes& reply) {
  std::string text(View(reply));
  if (reply.release != nullptr) reply.release(&reply);
  return text;
}

// An error that the host fills.
class Why final {
 public:
  explicit Why(const tasker_host& host) : host_(host), error_(host.error_new()) {}
  ~Why() { host_.error_free(error_); }
  Why(const Why&) = delete;
  Why& operator=(const Why&) = delete;
  tasker_error* get() { return error_; }
  HostError Tell(tasker_status status) const {
    const std::string sentence(View(host_.error_message(error_)));
    return {status, sentence.empty() ? "the host refused this call" : sentence};
  }

 private:
  const tasker_host& host_;
  tasker_error* const error_;
};

}  // namespace

NoHost::NoHost()
    : HostError(TASKER_E_WRONG_STATE, "Worker not initialized. Call bootstrap_worker() first.") {}

void HostLink::Attach(const tasker_host* host, tasker_plugin* plugin) {
  const std::unique_lock lock(mu_);
  host_ = host;
  plugin_ = plugin;
  attached_ = true;
}

void HostLink::Detach() {
  attached_ = false;
  const std::unique_lock lock(mu_);
  plugin_ = nullptr;
}

std::shared_lock<std::shared_mutex> HostLink::Reach() const {
  if (!attached_) return {};
  std::shared_lock lock(mu_);
  if (plugin_ == nullptr) return {};
  return lock;
}

void HostLink::SetCapacity(std::uint32_t pool, std::uint32_t free) {
  if (const auto reached = Reach()) host_->set_capacity(plugin_, pool, free);
}

bool HostLink::Log(tasker_call* call_or_null, std::int32_t level, std::string_view message,
                   std::string_view fields) {
  const auto reached = Reach();
  if (!reached) return false;
  host_->log(plugin_, call_or_null, level, Str(message), Str(fields));
  return true;
}

void HostLink::Register(const tasker_handler& handler) {
  const auto reached = Reach();
  if (!reached) throw NoHost();
  Why why(*host_);
  const tasker_status status = host_->register_handler(plugin_, &handler, why.get());
  if (status != TASKER_OK) throw why.Tell(status);
}

bool HostLink::Unregister(std::string_view id) {
  const auto reached = Reach();
  return reached && host_->unregister_handler(plugin_, Str(id), nullptr) == TASKER_OK;
}

std::string HostLink::Client(std::string_view operation, std::string_view request) {
  const auto reached = Reach();
  if (!reached) throw NoHost();
  const auto* client =
      static_cast<const tasker_client*>(host_->extension(plugin_, TASKER_EXT_CLIENT));
  if (client == nullptr)
    throw HostError(TASKER_E_UNSUPPORTED, "this host has no " TASKER_EXT_CLIENT
                                          "; install a tasker-host of this package's version");
  Why why(*host_);
  tasker_bytes reply{};
  const tasker_status status =
      client->call(plugin_, Str(operation), Str(request), &reply, why.get());
  if (status != TASKER_OK) throw why.Tell(status);
  return Take(reply);
}

std::string HostLink::Status() {
  const auto reached = Reach();
  if (!reached) return "{}";
  const auto* table =
      static_cast<const tasker_status_ext*>(host_->extension(plugin_, TASKER_EXT_STATUS));
  tasker_bytes reply{};
  if (table == nullptr || table->status(plugin_, &reply) != TASKER_OK) return "{}";
  return Take(reply);
}

}  // namespace tasker::python
