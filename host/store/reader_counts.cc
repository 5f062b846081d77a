// What people read of templates, handlers and the store as a whole.
#include <sys/stat.h>

#include <utility>

#include "store/reader_state.h"

namespace tasker::store {
namespace {

using sqlite::Statement;

TemplateView TemplateAt(const Statement& s) {
  TemplateView out;
  out.id = s.Int(0);
  out.ns = s.Text(1);
  out.name = s.Text(2);
  out.version = s.Text(3);
  out.sha256 = s.Text(4);
  out.body = s.Text(5);
  out.current = s.Int(6) != 0;
  out.created = FromMicros(s.Int(7));
  return out;
}

std::int64_t SizeOf(const std::string& file) {
  struct stat info {};
  return ::stat(file.c_str(), &info) == 0 ? std::int64_t{info.st_size} : 0;
}

Result<std::int64_t> Count(Statement& statement) {
  TRY(const bool row, statement.Step());
  const std::int64_t count = row ? statement.Int(0) : 0;
  statement.Reset();
  return count;
}

}  // namespace

Result<std::vector<TemplateView>> Reader::Templates(bool all_revisions) {
  TRY(Statement* const templates, state_->Get("templates"));
  templates->Bind(all_revisions);
  std::vector<TemplateView> out;
  while (true) {
    TRY(const bool row, templates->Step());
    if (!row) return out;
    out.push_back(TemplateAt(*templates));
  }
}

Result<TemplateView> Reader::Template(std::int64_t id) {
  TRY(Statement* const found, state_->Get("template"));
  TRY(const bool row, found->Bind(id).Step());
  if (!row) return NotFound("the store has no template " + std::to_string(id));
  TemplateView out = TemplateAt(*found);
  found->Reset();
  return out;
}

Result<std::vector<MissingHandler>> Reader::Missing(std::span<const std::int64_t> alive) {
  TRY(const auto snapshot, Snapshot::Begin(*state_->connection));
  std::string ids = "[";
  for (const std::int64_t id : alive) ids += (ids.size() > 1 ? "," : "") + std::to_string(id);
  ids += "]";
  TRY(Statement* const handlers, state_->Get("handlers_not_served"));
  TRY(Statement* const enqueued, state_->Get("enqueued_of_handler"));
  handlers->Bind(ids);
  std::vector<MissingHandler> out;
  while (true) {
    TRY(const bool row, handlers->Step());
    if (!row) return out;
    TRY(const bool counted, enqueued->Bind(handlers->Int(0)).Step());
    if (counted && enqueued->Int(0) > 0) {
      out.push_back({.callable = std::string(handlers->Text(1)),
                     .resolver = std::string(handlers->Text(2)),
                     .steps = enqueued->Int(0),
                     .oldest_ready = enqueued->TimeAt(1).value_or(Time{})});
    }
    enqueued->Reset();
  }
}

Result<std::vector<HandlerName>> Reader::HandlersOf(std::int64_t worker) {
  TRY(Statement* const handlers, state_->Get("handlers_of_worker"));
  handlers->Bind(worker);
  std::vector<HandlerName> out;
  while (true) {
    TRY(const bool row, handlers->Step());
    if (!row) return out;
    out.push_back(
        {std::string(handlers->Text(0)), std::string(handlers->Text(1)), handlers->Int(2) != 0});
  }
}

Result<std::vector<std::int64_t>> Reader::HandlerIdsOf(std::int64_t worker) {
  TRY(Statement* const handlers, state_->Get("handler_ids_of_worker"));
  handlers->Bind(worker);
  std::vector<std::int64_t> out;
  while (true) {
    TRY(const bool row, handlers->Step());
    if (!row) return out;
    out.push_back(handlers->Int(0));
  }
}

Result<StoreCounts> Reader::Counts() {
  TRY(const auto snapshot, Snapshot::Begin(*state_->connection));
  StoreCounts out;
  TRY(Statement* const tasks, state_->Get("count_tasks"));
  while (true) {
    TRY(const bool row, tasks->Step());
    if (!row) break;
    out.tasks.emplace_back(static_cast<workflow::TaskState>(tasks->Int32(0)), tasks->Int(1));
  }
  const std::pair<const char*, std::int64_t*> counts[] = {
      {"count_enqueued", &out.enqueued},
      {"count_claimed", &out.in_progress},
      {"count_due", &out.waiting_for_retry},
      {"count_dead_letters", &out.dead_letters}};
  for (const auto& [name, count] : counts) {
    TRY(Statement* const statement, state_->Get(name));
    TRY(*count, Count(*statement));
  }
  TRY(Statement* const oldest, state_->Get("oldest_ready"));
  TRY(const bool row, oldest->Step());
  if (row) {
    out.oldest_ready = oldest->TimeAt(0);
    out.oldest_step = StoreCounts::OldestStep{
        .task = oldest->UuidAt(1), .n = oldest->Int32(2), .handler = std::string(oldest->Text(3))};
  }
  oldest->Reset();
  out.file_bytes = SizeOf(state_->path);
  out.wal_bytes = SizeOf(state_->path + "-wal");
  return out;
}

}  // namespace tasker::store
