// Totals an invoice and sends it, line by line: what a handler in C++ reads, returns, throws and
// keeps.
#include <chrono>
#include <cstddef>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <tasker/plugin.hpp>

namespace {

// One object for all attempts, which run at once: it only reads.
class Total {
 public:
  explicit Total(double tax) : tax_(tax) {}

  tasker::JsonObject operator()(tasker::Call& call) const {
    double net = 0;
    for (const tasker::Json& line : call.context()["lines"].items()) {
      // What is missing or of another type fails the step for good and names its place.
      const int count = line["count"].value_or(1);
      if (count < 0) throw tasker::PermanentError(line["count"].path() + " is negative");
      net += line["price"].as<double>() * count;
    }
    return tasker::JsonObject().set("net", net).set("gross", net * (1 + tax_));
  }

 private:
  const double tax_;
};

// Writes the lines into the outbox, one after the other, and saves after each how far it came: an
// attempt after a crash or a failure goes on from there. What was written just before a crash is
// written again, so that who reads the outbox needs the key, which is the same for all attempts.
tasker::JsonObject Send(tasker::Call& call) {
  const std::string outbox = call.context()["outbox"].as<std::string>();
  const std::vector<tasker::Json> lines = call.context()["lines"].items();
  const auto begun_at = call.last_checkpoint()["sent"].value_or<std::size_t>(0);
  std::ofstream file(outbox, std::ios::app);
  for (std::size_t sent = begun_at; sent < lines.size(); ++sent) {
    if (!call.alive(static_cast<double>(sent) / static_cast<double>(lines.size()), "sending")) {
      throw tasker::RetryableError("asked to stop after line " + std::to_string(sent));
    }
    file << tasker::JsonObject()
                .set("key", tasker::view(call.step().idempotency_key))
                .set("number", sent)
                .set("line", lines[sent])
                .text()
         << std::endl;
    if (!file) {
      tasker::RetryableError error("outbox " + outbox + " cannot be written",
                                   std::chrono::seconds(5));
      error.error_code = "OUTBOX";
      throw error;
    }
    if (call.checkpoint(tasker::JsonObject().set("sent", sent + 1)) != TASKER_OK) {
      throw tasker::RetryableError("the checkpoint after line " + std::to_string(sent) +
                                   " was not saved");
    }
  }
  return tasker::JsonObject()
      .set("sent", lines.size() - begun_at)
      .set("gross", call.dependency("total")["gross"]);
}

}  // namespace

TASKER_PLUGIN("cpp_example", "1.0.0", plugin) {
  // [plugin.cpp_example] of worker.toml: tax = 0.19
  const double tax = plugin.settings()["tax"].value_or(0.2);
  if (tax < 0) throw std::invalid_argument("[plugin.cpp_example] tax is negative");
  plugin.emplace_handler<Total>("invoice.total", {}, tax);

  tasker::Options options;
  options.caps = TASKER_CAP_CANCEL | TASKER_CAP_CHECKPOINT;
  options.description = "Sends the lines of an invoice, one by one";
  plugin.handler("invoice.send", &Send, options);
}
