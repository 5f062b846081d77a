#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace tasker::workflow {

// How one attempt ended. It is data and is stored; it is never an Error. Texts are JSON where said.

struct Succeeded {
  std::string result = "null";  // JSON
  std::string metadata;         // a JSON object; empty: none
  std::string events;           // a JSON array; empty: none
};

struct Failed {
  bool retryable = true;
  std::string type;
  std::string message;
  std::string backtrace;
  std::string error_code;
  std::int32_t http_status = 0;
  std::string context;   // a JSON object; empty: none
  std::string metadata;  // a JSON object; empty: none
  std::optional<std::chrono::microseconds> retry_after;
};

// Its deadline passed; the handler may still run.
struct TimedOut {
  bool idempotent =
      false;  // attempts may overlap: the next one need not wait for this one's return
};

// The handler wants to go on later, from its checkpoint. Counts in nothing.
struct Yielded {
  std::optional<std::string> checkpoint;  // JSON; nothing: the last one stays
  std::chrono::microseconds resume_after{0};
};

// The host gave the claim back. Counts in nothing.
struct HandedBack {
  bool started = false;  // the handler ran, and the process that ran it ends
};

using Outcome = std::variant<Succeeded, Failed, TimedOut, Yielded, HandedBack>;

}  // namespace tasker::workflow
