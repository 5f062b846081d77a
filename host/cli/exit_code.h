#pragma once

#include "base/error.h"

namespace tasker::cli {

// What scripts may rely on; kExitCodesHelp tells people. The numbers from 64 on are those of
// sysexits.h.
enum class ExitCode : int {
  kOk = 0,
  kFailed = 1,     // the task failed or is blocked; a plugin, the store or the machine is broken
  kCancelled = 2,  // the task was cancelled
  kRefused = 3,    // a person's act: the state of what it is done to forbids it
  kUsage = 64,
  kBadInput = 65,
  kNotFound = 66,
  kUnavailable = 69,
  kInternal = 70,
  kAbandoned = 75,
  kInterrupted = 130,
};

inline constexpr const char* kExitCodesHelp =
    "Exit codes:\n"
    "  0    done; with --wait: the task is complete\n"
    "  1    the task failed or is blocked by a failed step; a plugin is broken;\n"
    "       store verify found a violation; doctor found an error\n"
    "  2    the task was cancelled\n"
    "  3    refused: the state of the task or step forbids what was to be done to it\n"
    "  64   wrong usage\n"
    "  65   bad input: a configuration, template, context or priority that is refused\n"
    "  66   what was named does not exist: a file, a template, a task, a store\n"
    "  69   the store is not available, or a file of that name exists\n"
    "  70   internal error\n"
    "  75   run: handlers still ran at the end of the drain and were left behind\n"
    "  130  interrupted while waiting; the task goes on";

// The one place that maps errors to exit codes.
constexpr ExitCode ExitCodeOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
      return ExitCode::kBadInput;
    case ErrorCode::kNotFound:
      return ExitCode::kNotFound;
    case ErrorCode::kConflict:
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimeout:
    case ErrorCode::kIncompatible:
    case ErrorCode::kNotApplied:
    case ErrorCode::kUnknown:
      return ExitCode::kUnavailable;
    case ErrorCode::kInternal:
      return ExitCode::kInternal;
  }
  return ExitCode::kInternal;
}

}  // namespace tasker::cli
