#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <tasker/plugin.h>

#include "base/mutex.h"
#include "base/result.h"

namespace tasker::plugin {

class Record;

// The plugins of this process, by their table: one live instance each. It keeps the records that
// had to be left behind, whose plugins may use them until the process is gone. Thread-safe.
class Residents final {
 public:
  static Residents& OfProcess();

  // kConflict: an instance lives, or something of an earlier one has not returned.
  Status Admit(const tasker_plugin_entry* identity, const std::string& file);
  // The instance has ended.
  void Dismiss(const tasker_plugin_entry* identity);
  // The same, of one that has to be kept.
  void Keep(const tasker_plugin_entry* identity, std::unique_ptr<Record> record);

  Residents();
  ~Residents();
  Residents(const Residents&) = delete;
  Residents& operator=(const Residents&) = delete;

 private:
  struct Resident {
    bool live = false;
    std::vector<std::unique_ptr<Record>> left;
  };

  Mutex mu_;
  std::map<const tasker_plugin_entry*, Resident> residents_ GUARDED_BY(mu_);
};

}  // namespace tasker::plugin
