// SPDX-License-Identifier: MIT
//
// What tasker::testing::Host does; the contract stands in <tasker/testing.hpp>, which includes
// this.
#ifndef TASKER_TESTING_HOST_HPP
#define TASKER_TESTING_HOST_HPP

#include "tasker/json_writer.hpp"
#include "tasker/testing.hpp"

namespace tasker::testing {
inline namespace abi1 {

inline void Host::init(const std::string& prefix, const std::string& config) {
  detail::Error error;
  tasker_status status = TASKER_E_INTERNAL;
  const auto call = [&] {
    try {
      status = record_->table.init(&detail::HostTable::table(), record_->handle(),
                                   detail::bytes(config), &record_->state, error.handle());
    } catch (...) {
      error.message = "an exception left init(), which the ABI forbids";
    }
  };
  record_->control.run(call, Clock::time_point::max());
  const std::lock_guard<std::mutex> lock(record_->mutex);
  if (status == TASKER_OK) {
    record_->phase = detail::Record::Phase::ready;
    return;
  }
  record_->phase = detail::Record::Phase::ending;
  residents().erase(record_->identity);
  keep_for_ever(record_);
  throw InitError(prefix + "its init failed (" + detail::status_name(status) + ")" +
                      (error.message.empty() ? "" : ": " + error.message),
                  status);
}

inline detail::Handler& Host::find(std::string_view id, const Given& given) const {
  const std::lock_guard<std::mutex> lock(record_->mutex);
  const auto found = record_->by_key.find(detail::handler_key(id, given.resolver));
  if (found != record_->by_key.end()) return *found->second;
  std::string known;
  for (const auto& entry : record_->by_key) {
    known.append(known.empty() ? "" : ", ").append(entry.second->id);
  }
  throw std::invalid_argument("plugin " + record_->name + " has no handler '" + std::string(id) +
                              "'; it has " + (known.empty() ? "none" : known));
}

inline std::unique_ptr<detail::Texts> Host::texts_of(std::string_view handler,
                                                     const std::string& context,
                                                     const Given& given) const {
  auto made = std::make_unique<detail::Texts>();
  made->given = given;
  made->handler = handler;
  made->context = context;
  if (made->given.inputs.empty()) made->given.inputs = made->given.config;
  JsonObject dependencies;
  for (const auto& [step, result] : given.dependencies) {
    require_json(result, "the result of dependency '" + step + "'");
    dependencies.set(step, JsonObject().set("success", true).set("result", Json(result)));
  }
  made->dependencies = dependencies.text();
  const Given& own = made->given;
  require_json(context, "the context");
  require_json(own.config, "the config");
  require_json(own.inputs, "the inputs");
  if (!own.checkpoint.empty()) require_json(own.checkpoint, "the checkpoint");

  using detail::bytes;
  using detail::str;
  tasker_step& step = made->step;
  step.size = sizeof step;
  step.attempt = own.attempt;
  step.max_attempts = own.max_attempts;
  step.crashes = own.crashes;
  step.priority = own.priority;
  step.task.bytes[15] = step.step.bytes[15] = step.correlation.bytes[15] = 1;
  step.call_id.bytes[15] = static_cast<std::uint8_t>(own.attempt);
  step.handler = str(made->handler);
  step.method = str(own.method);
  step.resolver = str(own.resolver);
  step.task_namespace = str(own.task_namespace);
  step.task_name = str(own.task_name);
  step.task_version = str(own.task_version);
  step.step_name = str(own.step_name);
  step.idempotency_key = str(own.idempotency_key);
  step.traceparent = str(own.traceparent);
  step.context = bytes(made->context);
  step.dependencies = bytes(made->dependencies);
  step.config = bytes(own.config);
  step.checkpoint = bytes(own.checkpoint);
  step.inputs = bytes(own.inputs);
  step.definition = bytes(own.definition);
  step.task_row = bytes(own.task_row);
  step.step_row = bytes(own.step_row);
  if (own.timeout) {
    step.deadline_ns =
        std::chrono::nanoseconds(Clock::now().time_since_epoch() + *own.timeout).count();
  }
  return made;
}

// False: the runtime takes no more, and did not in a while.
inline bool Host::take_place(const detail::Handler& handler) {
  if (handler.threads != TASKER_THREADS_RUNTIME) return true;
  std::unique_lock<std::mutex> lock(record_->mutex);
  auto& free = record_->capacity[handler.pool];
  if (!record_->changed.wait_for(lock, std::chrono::seconds(5), [&] { return free > 0; })) {
    return false;
  }
  --free;
  return true;
}

inline Attempt Host::start(std::string_view handler, const std::string& context,
                           const Given& given) {
  auto attempt = std::make_shared<detail::AttemptState>();
  attempt->record = record_;
  attempt->handler = &find(handler, given);
  attempt->name = "handler '" + std::string(handler) + "' (step '" + given.step_name + "')";
  attempt->checkpoint_answer = given.checkpoint_answer;
  attempt->texts = texts_of(handler, context, given);
  const bool placed = take_place(*attempt->handler);
  const std::lock_guard<std::mutex> lock(record_->mutex);
  if (!placed || record_->phase != detail::Record::Phase::ready) {
    attempt->ended = attempt->returned = true;
    attempt->outcome.kind = Outcome::Kind::hand_back;
    return Attempt(std::move(attempt));
  }
  detail::Tokens::of_process().add(attempt);
  record_->inside.push_back(attempt);
  for (auto it = workers_.begin(); it != workers_.end();) {
    if (!it->first->returned) {
      ++it;
      continue;
    }
    it->second.join();  // It does nothing any more but end.
    it = workers_.erase(it);
  }
  workers_.emplace_back(attempt, std::thread([attempt] { work(attempt); }));
  return Attempt(std::move(attempt));
}

inline void Host::work(const std::shared_ptr<detail::AttemptState>& attempt) {
  detail::Record& record = *attempt->record;
  std::unique_lock<std::mutex> serial(attempt->handler->starting, std::defer_lock);
  if (attempt->handler->threads == TASKER_THREADS_SERIAL) serial.lock();
  bool begins = false;
  {
    const std::lock_guard<std::mutex> lock(record.mutex);
    begins = record.phase == detail::Record::Phase::ready && !attempt->cancelled;
    attempt->begun = begins;
  }
  if (begins) {
    call_start(*attempt, attempt->texts->step);
  } else {
    Outcome back;
    back.kind = Outcome::Kind::hand_back;
    detail::end(*attempt, std::move(back));
  }
  if (!attempt->begun || attempt->refused) detail::release(attempt);
  const std::lock_guard<std::mutex> lock(record.mutex);
  attempt->returned = true;
  leave_if_done(*attempt);
  record.changed.notify_all();
}

inline void Host::call_start(detail::AttemptState& attempt, const tasker_step& step) {
  const detail::Handler& handler = *attempt.handler;
  detail::Error error;
  tasker_status status = TASKER_E_INTERNAL;
  try {
    status = handler.ops.start(handler.self, &step, attempt.call, error.handle());
  } catch (...) {
    error.message = "an exception left start(), which the ABI forbids";
  }
  if (status == TASKER_OK) return;
  attempt.refused = true;
  Outcome failed;
  failed.kind = Outcome::Kind::failure;
  failed.type = "tasker.refused";
  failed.message = "handler '" + handler.id + "' of plugin " + attempt.record->name +
                   " did not start (" + detail::status_name(status) + ")" +
                   (error.message.empty() ? "" : ": " + error.message);
  detail::end(attempt, std::move(failed));
}

inline void Host::end(std::chrono::milliseconds limit) {
  if (std::exchange(stopped_, true)) return;
  const Clock::time_point deadline = Clock::now() + limit;
  {
    const std::lock_guard<std::mutex> lock(record_->mutex);
    record_->phase = detail::Record::Phase::ending;
  }
  const auto drain = [record = record_, deadline] {
    if (record->table.drain == nullptr) return;
    const std::int64_t ns = std::chrono::nanoseconds(deadline.time_since_epoch()).count();
    const tasker_status status = record->table.drain(record->state, ns);
    if (status == TASKER_OK) return;
    record->defect("the drain of plugin " + record->file + " failed (" +
                   detail::status_name(status) + ")");
  };
  bool returned = record_->control.run(drain, deadline);
  const bool drained = returned;
  if (drained) {
    std::unique_lock<std::mutex> lock(record_->mutex);
    returned = record_->changed.wait_until(lock, deadline, [&] { return record_->inside.empty(); });
  }
  const auto shutdown = [record = record_] {
    for (const auto& handler : record->handlers) {
      if (handler->ops.destroy != nullptr) handler->ops.destroy(handler->self);
    }
    if (record->table.shutdown != nullptr) record->table.shutdown(record->state);
  };
  if (!returned || !record_->control.run(shutdown, deadline + std::chrono::seconds(1))) {
    leave_behind(drained);
    return;
  }
  for (auto& worker : workers_) worker.second.join();
  workers_.clear();
  residents().erase(record_->identity);
  const std::lock_guard<std::mutex> lock(record_->mutex);
  if (const int held = record_->buffers_out; held > 0) {
    record_->defects.push_back(std::to_string(held) +
                               (held == 1 ? " buffer of the host's extensions was"
                                          : " buffers of the host's extensions were") +
                               " never released");
    keep_for_ever(record_);
  }
}

inline void Host::leave_behind(bool drained) {
  std::unique_lock<std::mutex> lock(record_->mutex);
  if (!drained) record_->defects.push_back("its drain, or a cancel before it, has not returned");
  for (const auto& attempt : record_->inside) {
    record_->defects.push_back(attempt->name + (!attempt->ended ? " has not ended"
                                                : attempt->returned
                                                    ? " ended, but did not release its token"
                                                    : " ended, but has not returned"));
  }
  if (drained && record_->inside.empty()) {
    record_->defects.push_back("its shutdown has not returned");
  }
  lock.unlock();
  keep_for_ever(record_);
  // The threads that are stuck in the plugin go on as long as the process does.
  static auto* const stuck =
      new std::vector<std::vector<std::pair<std::shared_ptr<detail::AttemptState>, std::thread>>>;
  stuck->push_back(std::move(workers_));
  workers_.clear();
}

}  // namespace abi1
}  // namespace tasker::testing

#endif
