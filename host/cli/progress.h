#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/terminal.h"
#include "store/reads.h"

namespace tasker::cli {

// Shows a person how one task moves.
class Progress final {
 public:
  enum class Mode {
    kPicture,  // its picture, redrawn in place
    kLines,    // a line for each step that changes
    kSilent,   // nothing but the hints
  };

  // Hints that are no part of a picture go to `err`.
  Progress(Mode mode, Terminal& out, Terminal& err) : mode_(mode), out_(out), err_(err) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  static Mode ModeFor(const Terminal& out) {
    return out.interactive() ? Mode::kPicture : Mode::kLines;
  }

  // `hints`: what a person should do for the task to go on, now. Each is told once.
  void Show(const store::TaskView& view, const std::vector<std::string>& hints, Time now);

 private:
  struct Known {
    workflow::StepState state = workflow::StepState::kPending;
    std::int32_t attempts = 0;

    bool operator==(const Known&) const = default;
  };

  void Redraw(const store::TaskView& view, const std::vector<std::string>& hints, Time now);
  void PrintChanges(const store::TaskView& view, Time now);

  const Mode mode_;
  Terminal& out_;
  Terminal& err_;
  std::size_t drawn_ = 0;  // lines of the picture that stands there
  std::map<std::int32_t, Known> known_;
  std::set<std::string> told_;
};

}  // namespace tasker::cli
