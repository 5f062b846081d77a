#include <CLI/CLI.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <utility>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/format.h"
#include "cli/json_out.h"
#include "store/verify.h"

namespace tasker::cli {
namespace {

boost::json::object ToJson(const store::Violation& violation) {
  boost::json::object out{{"invariant", violation.invariant},
                          {"must_hold", violation.must_hold},
                          {"found", violation.found},
                          {"task", nullptr},
                          {"task_id", nullptr},
                          {"n", nullptr}};
  if (violation.task) out["task"] = violation.task->ToString();
  if (violation.task_id != 0) out["task_id"] = violation.task_id;
  if (violation.n) out["n"] = *violation.n;
  return out;
}

boost::json::object ToJson(const store::Verified& verified) {
  boost::json::array violations;
  for (const store::Violation& violation : verified.violations)
    violations.push_back(ToJson(violation));
  return {{"tasks", verified.tasks},
          {"steps", verified.steps},
          {"complete", verified.all},
          {"violations", std::move(violations)}};
}

std::string Where(const store::Violation& violation) {
  std::string where;
  if (violation.task) {
    where = "task " + violation.task->ToString();
  } else if (violation.task_id != 0) {
    where = "task number " + std::to_string(violation.task_id);
  } else {
    where = "the store";
  }
  if (violation.n) where += " step " + std::to_string(*violation.n);
  return where;
}

std::string ToText(const store::Verified& verified, const Style& style) {
  std::string text;
  for (const store::Violation& violation : verified.violations) {
    text += Paint(style, Colour::kRed, Printable(style, Where(violation))) + ": " +
            Printable(style, violation.found) + "\n    " + std::string(violation.must_hold) + " (" +
            std::string(violation.invariant) + ")\n";
  }
  text += Count(verified.tasks, "task") + " with " + Count(verified.steps, "step") +
          " looked at: " +
          (verified.violations.empty()
               ? "all is as it must be\n"
               : Count(static_cast<std::int64_t>(verified.violations.size()), "violation") + "\n");
  if (!verified.all) text += "there are more; only the first are shown\n";
  return text;
}

class StoreVerify final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    app.add_flag("--rows-only", rows_only_,
                 "Leave out SQLite's check of the pages, which reads the whole file");
  }

  Result<ExitCode> Run(Session& session) override {
    TRY(const config::Config config, session.LoadConfig());
    TRY(const Client client, OpenClient(config, Missing::kRefuse));
    TRY(const store::Verified verified, store::Verify(*client.store, {.pages = !rows_only_}));
    session.out.Write(session.json ? JsonLine(ToJson(verified))
                                   : ToText(verified, session.out.style()));
    return verified.violations.empty() ? ExitCode::kOk : ExitCode::kFailed;
  }

 private:
  bool rows_only_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeStoreVerify() { return std::make_unique<StoreVerify>(); }

}  // namespace tasker::cli
