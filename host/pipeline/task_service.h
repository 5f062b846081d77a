#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/uuid.h"
#include "pipeline/host.h"
#include "pipeline/submission.h"
#include "store/reads.h"
#include "workflow/state.h"

namespace tasker::pipeline {

// Where tasks go and come from: a host, or a client of its store. Thread-safe.
struct TaskAccess {
  std::function<Result<Submitted>(const std::string& name, const Submission&)> submit;
  std::function<Status(const Uuid& task, const std::string& actor, const std::string& reason)>
      cancel;
  std::function<Result<workflow::TaskState>(const Uuid& task, Steady deadline)> wait;
  // Returns once `look` has found something: it is asked now and after commits, whoever makes them.
  std::function<Status(Steady deadline, const std::function<Result<bool>()>& look)> watch;
  // Runs `use` with a reader that is its own meanwhile.
  std::function<Status(const std::function<Status(store::Reader&)>& use)> read;
};

// The operations of tasker.client/1 (sdk/include/tasker/ext/client.h): JSON in, JSON out.
// Thread-safe; each call blocks as long as the store takes.
class TaskService final {
 public:
  explicit TaskService(TaskAccess access) : access_(std::move(access)) {}

  // kInvalid: the request is wrong.
  Result<std::string> Call(std::string_view operation, std::string_view request) const;

 private:
  using Request = boost::json::object;
  struct Operation;

  Result<boost::json::value> Create(const Request& request) const;
  Result<boost::json::value> Get(const Request& request) const;
  Result<boost::json::value> List(const Request& request) const;
  Result<boost::json::value> Cancel(const Request& request) const;
  Result<boost::json::value> Steps(const Request& request) const;
  Result<boost::json::value> Step(const Request& request) const;
  Result<boost::json::value> Audit(const Request& request) const;
  Result<boost::json::value> Health(const Request& request) const;
  Result<boost::json::value> Wait(const Request& request) const;
  Result<boost::json::value> Watch(const Request& request) const;

  Result<store::TaskView> View(const Uuid& task) const;

  const TaskAccess access_;
};

}  // namespace tasker::pipeline
