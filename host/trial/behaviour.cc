#include "trial/behaviour.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "log/log.h"
#include "plugin/text.h"
#include "trial/child.h"

namespace tasker::trial {
namespace {

namespace json = boost::json;
using Severity = Finding::Severity;

constexpr char kLastPhase[] = "exit";
constexpr std::size_t kQuotedMaxBytes = 60;
// The child has this much time to say itself that it waited in vain.
constexpr std::chrono::seconds kGrace{5};

void Report(const json::object& line) {
  const std::string text = json::serialize(line) + "\n";
  // A parent that is gone has this process killed.
  static_cast<void>(!::write(kReportFd, text.data(), text.size()));
}

// What the child reported: findings, and the phase that it came to.
std::string Read(std::string_view report, Findings& findings) {
  std::string phase = "its start";
  while (!report.empty()) {
    const std::size_t end = report.find('\n');
    if (end == std::string_view::npos) break;
    json::error_code code;
    const json::value line = json::parse(report.substr(0, end), code);
    report.remove_prefix(end + 1);
    if (code || !line.is_object()) continue;
    const json::object& object = line.get_object();
    if (const json::value* const next = object.if_contains("phase")) {
      phase = std::string(next->as_string());
    } else {
      findings.Add({std::string(object.at("name").as_string()),
                    static_cast<Severity>(object.at("severity").as_int64()),
                    std::string(object.at("found").as_string()),
                    {}});
    }
  }
  return phase;
}

std::string SignalName(int signal) {
  const char* const name = ::sigabbrev_np(signal);
  return name == nullptr ? "signal " + std::to_string(signal) : "SIG" + std::string(name);
}

void SayHowItEnded(const ChildEnd& end, const std::string& phase, const std::string& prefix,
                   std::chrono::milliseconds patience, Findings& findings) {
  if (end.killed) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience).count();
    findings.Error(phase,
                   prefix + "its " + phase + " has not returned after " + std::to_string(seconds) +
                       " s; mend it, or raise --patience if it needs longer",
                   "");
  } else if (WIFSIGNALED(end.wait_status)) {
    findings.Error(phase,
                   prefix + "the process died of " + SignalName(WTERMSIG(end.wait_status)) +
                       " in its " + phase +
                       "; debug it with gdb --args tasker-host plugin run, a host would die too",
                   "");
  } else if (phase != kLastPhase || WEXITSTATUS(end.wait_status) != 0) {
    findings.Error(phase,
                   prefix + "the process was ended with exit status " +
                       std::to_string(WEXITSTATUS(end.wait_status)) + " in its " + phase +
                       "; a plugin must not call exit, return an error instead",
                   "");
  }
}

}  // namespace

Status ConductAsChild(const Trial& trial) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
    return Internal(std::string("ask to die with the parent: ") + std::strerror(errno));
  const Observer observer{.begins =
                              [](const std::string& phase) {
                                Report({{"phase", phase}});
                              },
                          .found =
                              [](const Finding& finding) {
                                Report({{"name", finding.name},
                                        {"severity", static_cast<int>(finding.severity)},
                                        {"found", finding.found}});
                              }};
  const bool ended = Conduct(trial, observer);
  observer.begins(kLastPhase);
  if (ended) return Ok();
  log::Stop();
  ::_exit(0);
}

Status ObserveChild(const std::vector<std::string>& command, const std::string& file,
                    std::chrono::milliseconds patience, Findings& findings) {
  TRY(const ChildEnd end, RunChild(command, patience + kGrace));
  const std::string prefix = "plugin " + file + ": ";
  const std::string phase = Read(end.report, findings);
  SayHowItEnded(end, phase, prefix, patience, findings);
  if (end.out.empty()) {
    findings.Ok("stdout", "it writes nothing to stdout");
  } else {
    const std::string line = end.out.substr(0, end.out.find('\n'));
    findings.Warning("stdout",
                     prefix + "it writes to stdout ('" + plugin::CleanText(line, kQuotedMaxBytes) +
                         "'), which belongs to the host; use the host's log()",
                     "");
  }
  return Ok();
}

}  // namespace tasker::trial
