#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "plugin/instance.h"
#include "store/reads.h"
#include "store/store.h"

namespace tasker::pipeline {

// What is the same for every attempt of one template step, computed once: texts that end where an
// attempt's own begin.
struct StepTexts {
  std::vector<std::int32_t> ancestors;  // ascending
  std::vector<std::string>
      dependency_heads;  // of each ancestor, as JSON: its name and entry up to the step's uuid
  std::string idempotency_tail;  // behind the task's uuid
  std::string task_row_middle;   // from behind the task's uuid to the time of its creation
  std::string step_row_middle;   // from behind the task's uuid to the number of earlier attempts
};
StepTexts TextsOf(const workflow::Workflow& workflow, std::int32_t template_step);

// Everything that the handler of one claim is given (sdk/include/tasker/plugin.h,
// tasker-domain.md 2.2), from the rows read for it. Pure.
std::unique_ptr<plugin::StepInput> BuildInput(const store::Claimed& claimed, const StepTexts& texts,
                                              store::Hydrated hydrated);

// Reads and builds what attempts are given. Owned by one thread.
class Hydrator final {
 public:
  Hydrator(store::Reader& reader, std::int64_t bytes_max);

  // kInvalid: what belongs to the step exceeds the limit, which the sentence names. Other errors:
  // the store could not be read.
  Result<std::unique_ptr<plugin::StepInput>> Hydrate(const store::Claimed& claimed);

 private:
  struct Known {
    std::shared_ptr<const workflow::Workflow>
        workflow;  // owners: the store's cache, this one and the attempts
    std::unordered_map<std::int32_t, StepTexts> steps;
  };
  const StepTexts& Texts(const store::Claimed& claimed);
  Result<std::unique_ptr<plugin::StepInput>> Build(const store::Claimed& claimed,
                                                   const StepTexts& texts,
                                                   store::Hydrated hydrated);

  store::Reader& reader_;
  const std::int64_t bytes_max_;
  std::map<std::int64_t, Known> known_;  // by template id
  std::size_t texts_known_ = 0;          // steps and their ancestors in known_
};

}  // namespace tasker::pipeline
