#pragma once

#include <chrono>

namespace tasker::python {

// What the calling thread has had of a processor since it began.
std::chrono::nanoseconds ThreadTime();

// Whether threads that take steps only stand in each other's way. One of them holds the GIL at a
// time: where handlers do nothing but compute, and shortly, most of the time goes into handing it
// round, and one thread that takes step after step is faster. Where handlers wait for something or
// compute for long, threads help. Not thread-safe.
class Crowd final {
 public:
  using Steady = std::chrono::steady_clock::time_point;

  // A thread took a step so long ago, without what it waited for the GIL, and was busy for `busy`.
  void CameBack(std::chrono::nanoseconds out, std::chrono::nanoseconds busy);
  void Took(Steady now) { took_ = now; }

  // Whether one thread should go on alone; not any more once nobody has taken a step for kPatience.
  bool IsInTheWay(Steady now);

  static constexpr std::chrono::milliseconds kPatience{1};

 private:
  static constexpr int kSteps = 64;  // what it judges by
  static constexpr std::chrono::microseconds kShort{100};

  bool in_the_way_ = false;
  Steady took_{};
  std::chrono::nanoseconds out_{0}, busy_{0};
  int steps_ = 0;
};

}  // namespace tasker::python
