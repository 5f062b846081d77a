#include "pipeline/timeouts.h"

namespace tasker::pipeline {

std::vector<workflow::ClaimId> Timeouts::TakeDue(Steady now) {
  std::vector<workflow::ClaimId> due;
  while (!times_.empty() && times_.top().when <= now) {
    due.push_back(times_.top().claim);
    times_.pop();
  }
  return due;
}

}  // namespace tasker::pipeline
