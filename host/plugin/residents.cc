#include "plugin/residents.h"

#include <algorithm>
#include <utility>

#include "plugin/record.h"

namespace tasker::plugin {

Residents::Residents() = default;
Residents::~Residents() = default;

Residents& Residents::OfProcess() {
  static Residents* const residents = std::make_unique<Residents>().release();
  return *residents;
}

Status Residents::Admit(const tasker_plugin_entry* identity, const std::string& file) {
  MutexLock lock(mu_);
  Resident& resident = residents_[identity];
  if (resident.live) {
    return Conflict("plugin " + file +
                    ": it runs in this process already; stop that instance first");
  }
  if (!std::ranges::all_of(resident.left, [](const auto& record) { return record->returned(); })) {
    return Conflict("plugin " + file +
                    ": calls of its last instance have not returned; restart the process");
  }
  resident.live = true;
  return Ok();
}

void Residents::Dismiss(const tasker_plugin_entry* identity) {
  MutexLock lock(mu_);
  residents_[identity].live = false;
}

void Residents::Keep(const tasker_plugin_entry* identity, std::unique_ptr<Record> record) {
  MutexLock lock(mu_);
  Resident& resident = residents_[identity];
  resident.live = false;
  resident.left.push_back(std::move(record));
}

}  // namespace tasker::plugin
