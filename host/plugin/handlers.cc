#include "plugin/handlers.h"

#include <algorithm>

#include "plugin/abi.h"
#include "plugin/text.h"

namespace tasker::plugin {
namespace {

// The sizes of ABI 1.0. They stay when the structs grow.
constexpr std::uint32_t kHandlerSize10 = 104;
constexpr std::uint32_t kOpsSize10 = 32;
static_assert(sizeof(tasker_handler) >= kHandlerSize10);
static_assert(sizeof(tasker_handler_ops) >= kOpsSize10);

constexpr std::size_t kIdMaxBytes = 500;
constexpr std::size_t kTextMaxBytes = std::size_t{64} << 10;

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool IsHandlerId(std::string_view id) {
  if (id.empty() || id.size() > kIdMaxBytes || id.front() == ' ' || id.back() == ' ') return false;
  return std::ranges::none_of(id, IsControl) && CleanText(id, kIdMaxBytes) == id;
}

Status CheckShape(const tasker_handler* handler) {
  if (handler == nullptr) return Invalid("register_handler got NULL for the handler");
  if (handler->size < kHandlerSize10) {
    return Invalid("a handler says size " + std::to_string(handler->size) + ", ABI 1.0 has " +
                   std::to_string(kHandlerSize10) + "; set size = sizeof(tasker_handler)");
  }
  if (!IsHandlerId(View(handler->id))) {
    return Invalid("'" + CleanText(View(handler->id), kIdMaxBytes) +
                   "' is no handler id; use 1 to 500 bytes of UTF-8 without control characters or "
                   "surrounding spaces");
  }
  const std::string prefix = "handler '" + std::string(View(handler->id)) + "' ";
  if (TASKER_HAS(handler, tasker_handler, resolver) && handler->resolver.len > 0 &&
      !IsHandlerId(View(handler->resolver))) {
    return Invalid(prefix +
                   "names a resolver that is no id; use 1 to 500 bytes of UTF-8 without "
                   "control characters or surrounding spaces");
  }
  if (handler->ops == nullptr || handler->ops->size < kOpsSize10) {
    return Invalid(prefix +
                   "has no ops of ABI 1.0; set ops and ops->size = sizeof(tasker_handler_ops)");
  }
  if (handler->ops->start == nullptr)
    return Invalid(prefix + "has no start; every handler needs one");
  if (handler->threads > TASKER_THREADS_RUNTIME) {
    return Invalid(prefix + "asks for threads = " + std::to_string(handler->threads) +
                   ", which this host does not know; use TASKER_THREADS_...");
  }
  return Ok();
}

HandlerInfo::Threads ToThreads(std::uint32_t threads) {
  switch (threads) {
    case TASKER_THREADS_SERIAL:
      return HandlerInfo::Threads::kSerial;
    case TASKER_THREADS_RUNTIME:
      return HandlerInfo::Threads::kRuntime;
    default:
      return HandlerInfo::Threads::kConcurrent;
  }
}

}  // namespace

Result<std::unique_ptr<Handler>> ReadHandler(const tasker_handler* handler) {
  TRY_OK(CheckShape(handler));
  auto out = std::make_unique<Handler>();
  out->info.id = View(handler->id);
  if (TASKER_HAS(handler, tasker_handler, resolver)) out->info.resolver = View(handler->resolver);
  out->info.version = CleanText(View(handler->version), kTextMaxBytes);
  out->info.description = CleanText(View(handler->description), kTextMaxBytes);
  out->info.config_schema = View(handler->config_schema);
  out->info.threads = ToThreads(handler->threads);
  out->info.can_cancel = (handler->caps & TASKER_CAP_CANCEL) != 0;
  out->info.can_checkpoint = (handler->caps & TASKER_CAP_CHECKPOINT) != 0;
  out->info.idempotent = (handler->caps & TASKER_CAP_IDEMPOTENT) != 0;
  out->info.max_concurrency = handler->max_concurrency;
  out->info.pool = handler->pool;
  out->ops = CopyPrefix(*handler->ops);
  out->self = handler->self;
  return out;
}

Handler* HandlerTable::Add(std::unique_ptr<Handler> handler) {
  MutexLock lock(mu_);
  if (!ids_.try_emplace(handler->info.Key(), handler.get()).second) return nullptr;
  handlers_.push_back(std::move(handler));
  return handlers_.back().get();
}

void HandlerTable::Discard(const Handler& handler) {
  MutexLock lock(mu_);
  ids_.erase(handler.info.Key());
  std::erase_if(handlers_, [&](const auto& owned) { return owned.get() == &handler; });
}

bool HandlerTable::Remove(std::string_view key) {
  MutexLock lock(mu_);
  const auto entry = ids_.find(key);
  if (entry == ids_.end()) return false;
  ids_.erase(entry);
  return true;
}

Handler* HandlerTable::Find(std::string_view key) const {
  MutexLock lock(mu_);
  const auto entry = ids_.find(key);
  return entry == ids_.end() ? nullptr : entry->second;
}

std::vector<Handler*> HandlerTable::All() const {
  MutexLock lock(mu_);
  std::vector<Handler*> all;
  all.reserve(handlers_.size());
  for (const auto& handler : handlers_) all.push_back(handler.get());
  return all;
}

std::vector<HandlerInfo> HandlerTable::Infos() const {
  MutexLock lock(mu_);
  std::vector<HandlerInfo> infos;
  infos.reserve(ids_.size());
  for (const auto& [id, handler] : ids_) infos.push_back(handler->info);
  return infos;
}

Pool* HandlerTable::PoolOf(std::uint32_t number) {
  MutexLock lock(mu_);
  const auto pool = pools_.find(number);
  if (pool != pools_.end()) return &pool->second;
  return pools_.size() < kPoolsMax ? &pools_[number] : nullptr;
}

std::uint32_t HandlerTable::FreeOf(std::uint32_t number) const {
  MutexLock lock(mu_);
  const auto pool = pools_.find(number);
  return pool == pools_.end() ? 0 : pool->second.free.load();
}

}  // namespace tasker::plugin
