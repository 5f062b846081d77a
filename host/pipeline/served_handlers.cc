#include "pipeline/served_handlers.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace tasker::pipeline {
namespace {

using Threads = plugin::HandlerInfo::Threads;

}  // namespace

Status ServedHandlers::Refresh(const Intern& intern) {
  const std::uint64_t version = registry_.version();
  const auto entries = registry_.List();
  std::vector<store::HandlerName> names;
  names.reserve(entries.size());
  for (const auto& entry : entries)
    names.push_back({entry.info.id, entry.info.resolver, entry.info.idempotent});
  std::vector<std::int64_t> ids;
  if (!names.empty()) {
    TRY(ids, intern(names));
    CHECK(ids.size() == names.size());
  }
  served_.clear();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    Served served{ids[i], entries[i].info, entries[i].instance};
    if (const auto limit = limits_.find(served.info.id); limit != limits_.end()) {
      const auto at_most = static_cast<std::uint32_t>(limit->second);
      std::uint32_t& own = served.info.max_concurrency;
      own = own == 0 ? at_most : std::min(own, at_most);
    }
    served_.emplace(ids[i], std::move(served));
  }
  version_ = version;
  return Ok();
}

const ServedHandlers::Served* ServedHandlers::Find(std::int64_t handler) const {
  const auto found = served_.find(handler);
  return found == served_.end() ? nullptr : &found->second;
}

void ServedHandlers::Ended(std::int64_t handler, Steady now) {
  Count& count = counts_[handler];
  CHECK(count.in_flight > 0);
  --count.in_flight;
  count.ends.Add(now, 1);
}

void ServedHandlers::MarkAll() {
  for (auto& [id, served] : served_) served.maybe_ready = true;
}

void ServedHandlers::Unmark(std::span<const store::Demand> demand) {
  for (const store::Demand& group : demand) {
    for (const std::int64_t handler : group.handlers) served_.at(handler).maybe_ready = false;
  }
}

bool ServedHandlers::AnyMarked(std::span<const store::Demand> demand) const {
  return std::ranges::any_of(demand, [this](const store::Demand& group) {
    return std::ranges::any_of(group.handlers,
                               [this](std::int64_t id) { return served_.at(id).maybe_ready; });
  });
}

bool ServedHandlers::AnyMarked() const {
  return std::ranges::any_of(served_, [](const auto& entry) { return entry.second.maybe_ready; });
}

ServedHandlers::Loads ServedHandlers::LoadsAt(Steady now) {
  Loads loads;
  loads.handlers.reserve(served_.size());
  for (const auto& [id, served] : served_) {
    HandlerLoad load;
    load.handler = id;
    load.limit = served.info.max_concurrency;
    if (load.limit > 0 || served.info.threads == Threads::kSerial)
      load.in_flight = counts_[id].in_flight;
    if (served.info.threads == Threads::kSerial) {
      const std::int64_t serial = 1 + counts_[id].ends.LastSecond(now);
      load.limit = load.limit > 0 ? std::min(load.limit, serial) : serial;
    }
    if (served.info.threads == Threads::kRuntime) {
      const auto same = [&served = served](const Pool& pool) {
        return pool.instance == served.instance && pool.number == served.info.pool;
      };
      const auto pool = std::ranges::find_if(loads.pools, same);
      load.pool = static_cast<int>(pool - loads.pools.begin());
      if (pool == loads.pools.end()) loads.pools.push_back({served.instance, served.info.pool});
    }
    loads.handlers.push_back(load);
  }
  return loads;
}

}  // namespace tasker::pipeline
