#include "pipeline/reply.h"

#include <utility>

namespace tasker::pipeline {

void Reply::Answer(Result<store::Ack> answer) {
  // Under the lock: the caller takes it before it destroys this object.
  MutexLock lock(mu_);
  answer_ = std::move(answer);
  answered_.NotifyOne();
}

Result<store::Ack> Reply::Wait() {
  MutexLock lock(mu_);
  while (!answer_) answered_.Wait(mu_);
  return *std::move(answer_);
}

}  // namespace tasker::pipeline
