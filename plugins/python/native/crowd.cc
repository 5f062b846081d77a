#include "crowd.h"

#include <ctime>

namespace tasker::python {

std::chrono::nanoseconds ThreadTime() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

void Crowd::CameBack(std::chrono::nanoseconds out, std::chrono::nanoseconds busy) {
  out_ += out;
  busy_ += busy;
  if (++steps_ < kSteps) return;
  in_the_way_ = busy_ > out_ / 2 && busy_ < kShort * kSteps;
  out_ = busy_ = std::chrono::nanoseconds(0);
  steps_ = 0;
}

bool Crowd::IsInTheWay(Steady now) {
  in_the_way_ = in_the_way_ && now - took_ < kPatience;
  return in_the_way_;
}

}  // namespace tasker::python
