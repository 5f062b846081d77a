#include "store/prune.h"

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/format.h"
#include "cli/json_out.h"
#include "config/value.h"

namespace tasker::cli {
namespace {

class StorePrune final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    app.add_option("--older-than", older_than_,
                   "Delete tasks that ended longer ago than this, such as 30d or 12h; default: "
                   "store.keep_finished")
        ->option_text("DURATION");
    app.add_flag("--dry-run", dry_run_, "Only count what would be deleted");
  }

  Result<ExitCode> Run(Session& session) override {
    TRY(config::Config config, session.LoadConfig());
    TRY(const std::chrono::milliseconds age, Age(config));
    TRY(const Client client, OpenClient(config, Missing::kRefuse));
    const Time before = WallNow() - age;
    TRY(const store::Pruned done,
        dry_run_ ? store::CountPrunable(*client.store, before) : PruneAll(*client.store, before));
    session.out.Write(session.json ? JsonLine({{"tasks", done.tasks},
                                               {"steps", done.steps},
                                               {"pages", done.pages},
                                               {"dry_run", dry_run_}})
                                   : Sentence(done));
    return ExitCode::kOk;
  }

 private:
  Result<std::chrono::milliseconds> Age(config::Config& config) const {
    if (!older_than_.empty()) {
      const config::Key* const key = config::FindKey("store.keep_finished");
      CHECK(key != nullptr);
      TRY_OK(config::Assign(*key, "--older-than", older_than_, {}, config));
      return config.store.keep_finished;
    }
    if (config.store.keep_finished.count() > 0) return config.store.keep_finished;
    return Invalid(
        "store.keep_finished keeps ended tasks for ever; say which may go with --older-than, such "
        "as --older-than 30d");
  }

  static Result<store::Pruned> PruneAll(store::Store& store, Time before) {
    store::Pruned all;
    store::PruneCursor cursor;
    do {
      TRY(const store::Pruned slice, store.Prune(before, cursor));
      all.tasks += slice.tasks;
      all.steps += slice.steps;
      all.pages += slice.pages;
      all.more = slice.more;
    } while (all.more);
    return all;
  }

  std::string Sentence(const store::Pruned& done) const {
    const std::string what = Count(done.tasks, "task") + " with " + Count(done.steps, "step");
    if (dry_run_) return what + " would be deleted\n";
    return what + " deleted, " + Count(done.pages, "page") + " given back\n";
  }

  std::string older_than_;
  bool dry_run_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeStorePrune() { return std::make_unique<StorePrune>(); }

}  // namespace tasker::cli
