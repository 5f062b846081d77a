#include "store/stats.h"

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <memory>
#include <optional>
#include <string>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/format.h"
#include "cli/json_out.h"
#include "cli/table.h"

namespace tasker::cli {
namespace {

boost::json::object ToJson(const store::StoreStats& stats, const std::string& path) {
  boost::json::object rows;
  for (const auto& [table, count] : stats.rows) rows[table] = count;
  return {{"path", path},
          {"file_bytes", stats.file_bytes},
          {"wal_bytes", stats.wal_bytes},
          {"page_bytes", stats.page_bytes},
          {"pages", stats.pages},
          {"free_pages", stats.free_pages},
          {"rows", rows},
          {"oldest_task", TimeJson(stats.oldest_task)},
          {"oldest_open_task", TimeJson(stats.oldest_open)},
          {"oldest_ended_task", TimeJson(stats.oldest_ended)},
          {"oldest_dead_letter", TimeJson(stats.oldest_dead_letter)}};
}

std::string Line(const char* what, const std::optional<Time>& time) {
  if (!time) return "";
  return std::string(what) + LocalTime(*time) + ", " + DurationText(WallNow() - *time) + " ago\n";
}

std::string ToText(const store::StoreStats& stats, const std::string& path, const Style& style) {
  std::string text = Printable(style, path) + "\n  file   " + SizeText(stats.file_bytes) + ": " +
                     Count(stats.pages, "page") + " of " + SizeText(stats.page_bytes) + ", " +
                     std::to_string(stats.free_pages) + " free\n  log    " +
                     SizeText(stats.wal_bytes) + "\n\n";
  Table rows({"ROWS", "TABLE"});
  for (const auto& [table, count] : stats.rows)
    rows.Add({Cell(std::to_string(count)), Cell(table)});
  text += rows.Text(style) + "\n";
  text += Line("oldest task               ", stats.oldest_task);
  text += Line("oldest task not ended     ", stats.oldest_open);
  text += Line("oldest end of a task      ", stats.oldest_ended);
  text += Line("oldest dead letter        ", stats.oldest_dead_letter);
  return text;
}

class StoreStatsCommand final : public Command {
 public:
  void AddOptions(CLI::App&) override {}

  Result<ExitCode> Run(Session& session) override {
    TRY(const config::Config config, session.LoadConfig());
    TRY(const Client client, OpenClient(config, Missing::kRefuse));
    TRY(const store::StoreStats stats, store::Stats(*client.store));
    const std::string& path = client.store->path();
    session.out.Write(session.json ? JsonLine(ToJson(stats, path))
                                   : ToText(stats, path, session.out.style()));
    return ExitCode::kOk;
  }
};

}  // namespace

std::unique_ptr<Command> MakeStoreStats() { return std::make_unique<StoreStatsCommand>(); }

}  // namespace tasker::cli
