// __complete: what a shell may offer for the word at the cursor; the scripts of `completion` ask
// it.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"

namespace tasker::cli {
namespace {

bool Hidden(const CLI::Option& option) { return option.get_group().empty(); }
bool TakesValue(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

// As it is typed: "--config", or "-h" of one that has no longer name.
std::string NameOf(const CLI::Option& option) {
  if (!option.get_lnames().empty()) return "--" + option.get_lnames().front();
  return "-" + option.get_snames().front();
}

// Where the words before the cursor have led.
class Place {
 public:
  explicit Place(const CLI::App& root) : app_(&root) {}

  void Pass(const std::string& word) {
    if (word == "=") return;  // bash makes three words of --option=value
    if (value_due_) {
      value_due_ = false;
    } else if (word.starts_with('-')) {
      const CLI::Option* const option = Find(word);
      value_due_ = option != nullptr && TakesValue(*option);
    } else if (const auto below = Below([&](auto* sub) { return sub->get_name() == word; });
               !below.empty()) {
      app_ = below.front();
    }
  }

  // "word<TAB>what it is for", a line each; empty where a value is due, of which the shell may know
  // more.
  std::string Offer(std::string_view begun) const {
    std::string lines;
    const auto offer = [&](const std::string& word, const std::string& about) {
      if (word.starts_with(begun)) lines += word + "\t" + about + "\n";
    };
    if (value_due_) return lines;
    if (begun.starts_with('-')) {
      for (const CLI::App* app = app_; app != nullptr; app = app->get_parent()) {
        for (const CLI::Option* option : app->get_options()) {
          if (option->nonpositional() && !Hidden(*option) && !Repeated(*app, *option))
            offer(NameOf(*option), option->get_description());
        }
      }
    } else {
      for (const CLI::App* sub : Below([](auto* one) { return !one->get_group().empty(); }))
        offer(sub->get_name(), sub->get_description());
    }
    return lines;
  }

 private:
  using Wanted = std::function<bool(const CLI::App*)>;
  std::vector<const CLI::App*> Below(const Wanted& wanted) const {
    return app_->get_subcommands(wanted);
  }
  // Options of the words before a command are known after it, too.
  const CLI::Option* Find(const std::string& word) const {
    for (const CLI::App* app = app_; app != nullptr; app = app->get_parent()) {
      if (const CLI::Option* const option = app->get_option_no_throw(word); option != nullptr)
        return option;
    }
    return nullptr;
  }
  // --help and --version belong to each command of its own.
  bool Repeated(const CLI::App& app, const CLI::Option& option) const {
    return &app != app_ && (&option == app.get_help_ptr() || &option == app.get_version_ptr());
  }

  const CLI::App* app_;
  bool value_due_ = false;
};

class Complete final : public Command {
 public:
  void AddOptions(CLI::App& app) override {
    root_ = app.get_parent();
    app.group("");
    app.add_option("WORD", words_, "After --: what follows tasker-host, up to the cursor");
  }

  Result<ExitCode> Run(Session& session) override {
    if (words_.empty()) words_.emplace_back();
    Place place(*root_);
    std::for_each(words_.begin(), words_.end() - 1, [&](const auto& word) { place.Pass(word); });
    const std::string& begun = words_.back();
    session.out.Write(place.Offer(begun == "=" ? std::string_view() : begun));
    return ExitCode::kOk;
  }

 private:
  const CLI::App* root_ = nullptr;
  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Command> MakeComplete() { return std::make_unique<Complete>(); }

}  // namespace tasker::cli
