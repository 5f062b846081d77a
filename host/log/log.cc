#include "log/log.h"

#include <poll.h>
#include <unistd.h>

#include <boost/log/attributes/constant.hpp>
#include <boost/log/attributes/value_extraction.hpp>
#include <boost/log/core.hpp>
#include <boost/log/expressions.hpp>
#include <boost/log/sinks/basic_sink_backend.hpp>
#include <boost/log/sinks/sync_frontend.hpp>
#include <boost/log/sources/logger.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include "base/mutex.h"
#include "log/format.h"
#include "log/repeats.h"

namespace tasker::log {
namespace {

namespace boost_log = boost::log;

// The whole line in one write, so that processes that share a terminal or a pipe do not mix theirs.
// What cannot be written is dropped: there is nowhere left to say so.
class StderrBackend final
    : public boost_log::sinks::basic_formatted_sink_backend<
          char, boost_log::sinks::combine_requirements<boost_log::sinks::synchronized_feeding,
                                                       boost_log::sinks::flushing>::type> {
 public:
  void consume(const boost_log::record_view&, const std::string& line) {
    buffer_.assign(line).append("\n");
    std::string_view rest = buffer_;
    while (!rest.empty()) {
      const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
      if (written > 0) {
        rest.remove_prefix(static_cast<std::size_t>(written));
      } else if (written < 0 && errno == EAGAIN) {
        pollfd ready = {STDERR_FILENO, POLLOUT, 0};
        ::poll(&ready, 1, -1);
      } else if (written == 0 || errno != EINTR) {
        return;
      }
    }
  }
  void flush() {}  // write(2) keeps nothing back.

 private:
  std::string buffer_;
};

using Sink = boost_log::sinks::synchronous_sink<StderrBackend>;
constexpr const char* kLineAttribute = "TaskerLine";

// The one log of the process. Boost.Log's core is process-wide and shared with plugins that use it:
// the filter keeps their records out of this sink.
class ProcessLog final {
 public:
  static ProcessLog& Instance() {
    static ProcessLog log;
    return log;
  }
  ProcessLog(const ProcessLog&) = delete;
  ProcessLog& operator=(const ProcessLog&) = delete;

  void Start(const config::Log& config) {
    const bool terminal = ::isatty(STDERR_FILENO) == 1;
    json_ = config.format == config::LogFormat::kJson ||
            (config.format == config::LogFormat::kAuto && !terminal);
    modules_.assign(config.modules.begin(), config.modules.end());
    level_ = config.level;
    Level lowest = config.level;
    for (const auto& [module, level] : modules_) lowest = std::min(lowest, level);
    lowest_ = lowest;
  }

  void Stop() {
    std::vector<Repeated> rest;
    {
      MutexLock lock(mu_);
      rest = repeats_.Drain();
    }
    for (const Repeated& line : rest) Emit(line);
    sink_->flush();
  }

  bool Enabled(std::string_view module, Level level) const {
    if (level < lowest_.load(std::memory_order_relaxed)) return false;
    const auto own = std::ranges::find(modules_, module, &std::pair<std::string, Level>::first);
    return level >= (own == modules_.end() ? level_.load(std::memory_order_relaxed) : own->second);
  }

  void Write(Level level, std::string_view module, std::string_view message, const Fields& fields) {
    std::uint64_t repeated = 0;
    if (level >= Level::kWarning) {
      RepeatFilter::Verdict verdict;
      {
        MutexLock lock(mu_);
        verdict = repeats_.Admit(level, module, message, RepeatFilter::Clock::now());
      }
      if (verdict.evicted) Emit(*verdict.evicted);
      if (!verdict.write) return;
      repeated = verdict.repeated;
    }
    Emit({std::chrono::system_clock::now(), level, module, message, fields, repeated});
  }

 private:
  ProcessLog() : sink_(boost::make_shared<Sink>()) {
    sink_->set_filter(boost_log::expressions::has_attr(kLineAttribute));
    sink_->set_formatter(
        [this](const boost_log::record_view& record, boost_log::formatting_ostream& out) {
          const auto line = boost_log::extract<const Line*>(kLineAttribute, record);
          out << (json_.load(std::memory_order_relaxed) ? FormatJson(*line.get())
                                                        : FormatText(*line.get()));
        });
    boost_log::core::get()->add_sink(sink_);
  }
  ~ProcessLog() { boost_log::core::get()->remove_sink(sink_); }

  void Emit(const Repeated& line) {
    const Fields none;
    Emit({std::chrono::system_clock::now(), line.level, line.module, line.message, none,
          line.count});
  }

  // The sink is synchronous: it has read the line when the record's pump ends.
  static void Emit(const Line& line) {
    boost_log::sources::logger logger;
    logger.add_attribute(kLineAttribute, boost_log::attributes::constant<const Line*>(&line));
    if (boost_log::record record = logger.open_record()) logger.push_record(std::move(record));
  }

  // Boost.Log's core and this object own the sink together.
  const boost::shared_ptr<Sink> sink_;
  std::vector<std::pair<std::string, Level>> modules_;  // Changes in Start only.
  std::atomic<Level> level_ = Level::kWarning;
  std::atomic<Level> lowest_ = Level::kWarning;  // of level_ and all modules
  std::atomic<bool> json_ = false;
  Mutex mu_;
  RepeatFilter repeats_ GUARDED_BY(mu_);
};

}  // namespace

void Start(const config::Log& config) { ProcessLog::Instance().Start(config); }

void Stop() { ProcessLog::Instance().Stop(); }

bool Enabled(std::string_view module, Level level) {
  return ProcessLog::Instance().Enabled(module, level);
}

void Write(Level level, std::string_view module, std::string_view message, const Fields& fields) {
  if (Enabled(module, level)) ProcessLog::Instance().Write(level, module, message, fields);
}

}  // namespace tasker::log
