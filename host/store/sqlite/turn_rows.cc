// Read-only, eponymous virtual tables (https://www.sqlite.org/vtab.html#epovtab): each walks one
// span from its begin to its end.
#include "store/sqlite/turn_rows.h"

#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "store/sqlite/connection.h"
#include "store/sqlite/sql.h"

namespace tasker::store::sqlite {
namespace {

using workflow::AttemptWrite;
using workflow::ClaimId;
using workflow::PayloadWrite;
using workflow::StepRow;

void Give(sqlite3_context* to, std::int64_t value) { sqlite3_result_int64(to, value); }
void Give(sqlite3_context* to, Time value) { sqlite3_result_int64(to, Micros(value)); }
void Give(sqlite3_context* to, std::string_view value) {
  // A null pointer would give NULL. The text outlives the statement, so nobody copies it.
  sqlite3_result_text64(to, value.data() == nullptr ? "" : value.data(), value.size(),
                        SQLITE_STATIC, SQLITE_UTF8);
}
template <typename T>
void Give(sqlite3_context* to, const std::optional<T>& value) {
  if (value) Give(to, *value);  // else NULL, which it is already
}

struct AttemptTable {
  static constexpr char kName[] = "turn_attempt";
  static auto Rows(const TurnRows& rows) { return rows.attempts; }
  static void Column(const AttemptWrite& row, int column, sqlite3_context* to) {
    switch (column) {
      case 0:
        return Give(to, row.step.task);
      case 1:
        return Give(to, row.step.n);
      case 2:
        return Give(to, workflow::Number(row.claim));
      case 3:
        return Give(to, static_cast<std::int64_t>(row.outcome));
      case 4:
        return Give(to, row.ready);
      case 5:
        return Give(to, row.claimed);
      case 6:
        return Give(to, row.started);
      case 7:
        return Give(to, row.ended);
      default:
        if (!row.error.empty()) Give(to, row.error);
    }
  }
};

struct PayloadTable {
  static constexpr char kName[] = "turn_payload";
  static auto Rows(const TurnRows& rows) { return rows.payloads; }
  static void Column(const PayloadWrite* row, int column, sqlite3_context* to) {
    switch (column) {
      case 0:
        return Give(to, row->step.task);
      case 1:
        return Give(to, row->step.n);
      case 2:
        return Give(to, static_cast<std::int64_t>(row->kind));
      default:
        return Give(to, row->body);
    }
  }
};

struct StepTable {
  static constexpr char kName[] = "turn_step";
  static auto Rows(const TurnRows& rows) { return rows.steps; }
  static void Column(const NewStep& step, int column, sqlite3_context* to) {
    const StepRow& row = *step.row;
    switch (column) {
      case 0:
        return Give(to, step.task);
      case 1:
        return Give(to, row.n);
      case 2:
        return Give(to, row.template_step);
      case 3:
        return Give(to, row.handler);
      case 4:
        return Give(to, static_cast<std::int64_t>(row.state));
      case 5:
        return Give(to, row.waiting_for);
      case 6:
        return Give(to, row.priority);
      case 7:
        if (row.claim != ClaimId{}) Give(to, workflow::Number(row.claim));
        return;
      case 8:
        return Give(to, row.ready);
      default:
        return Give(to, row.claimed);
    }
  }
};

// What SQLite calls, of one table.
template <typename Table>
class Walk {
 public:
  static sqlite3_module Module() {
    sqlite3_module module{};  // no xCreate: there is nothing to create
    module.xConnect = &Connect;
    module.xBestIndex = [](sqlite3_vtab*, sqlite3_index_info*) { return SQLITE_OK; };
    module.xDisconnect = [](sqlite3_vtab* table) {
      delete static_cast<Connected*>(table);
      return SQLITE_OK;
    };
    module.xOpen = [](sqlite3_vtab* table, sqlite3_vtab_cursor** cursor) {
      *cursor = new (std::nothrow) Cursor{{}, Table::Rows(static_cast<Connected*>(table)->rows), 0};
      return *cursor == nullptr ? SQLITE_NOMEM : SQLITE_OK;
    };
    module.xClose = [](sqlite3_vtab_cursor* cursor) {
      delete static_cast<Cursor*>(cursor);
      return SQLITE_OK;
    };
    module.xFilter = [](sqlite3_vtab_cursor* cursor, int, const char*, int, sqlite3_value**) {
      static_cast<Cursor*>(cursor)->at = 0;
      return SQLITE_OK;
    };
    module.xNext = [](sqlite3_vtab_cursor* cursor) {
      ++static_cast<Cursor*>(cursor)->at;
      return SQLITE_OK;
    };
    module.xEof = [](sqlite3_vtab_cursor* cursor) {
      const auto& walk = *static_cast<Cursor*>(cursor);
      return walk.at >= walk.rows.size() ? 1 : 0;
    };
    module.xColumn = [](sqlite3_vtab_cursor* cursor, sqlite3_context* to, int column) {
      const auto& walk = *static_cast<Cursor*>(cursor);
      Table::Column(walk.rows[walk.at], column, to);
      return SQLITE_OK;
    };
    module.xRowid = [](sqlite3_vtab_cursor* cursor, sqlite3_int64* id) {
      *id = static_cast<sqlite3_int64>(static_cast<Cursor*>(cursor)->at);
      return SQLITE_OK;
    };
    return module;
  }

 private:
  using Rows = decltype(Table::Rows(std::declval<const TurnRows&>()));
  struct Connected : sqlite3_vtab {
    explicit Connected(const TurnRows& all) : sqlite3_vtab{}, rows(all) {}
    const TurnRows& rows;
  };
  struct Cursor : sqlite3_vtab_cursor {
    Rows rows;
    std::size_t at;
  };

  static int Connect(sqlite3* db, void* rows, int, const char* const*, sqlite3_vtab** table,
                     char**) noexcept {
    static const std::string columns = ParseSqlFile(kSql_turn_rows).at(Table::kName);
    const int declared = sqlite3_declare_vtab(db, columns.c_str());
    if (declared != SQLITE_OK) return declared;
    *table = new (std::nothrow) Connected(*static_cast<const TurnRows*>(rows));
    return *table == nullptr ? SQLITE_NOMEM : SQLITE_OK;
  }
};

template <typename Table>
Status Register(sqlite3* db, const TurnRows& rows) {
  static const sqlite3_module module = Walk<Table>::Module();
  const int made =
      sqlite3_create_module_v2(db, Table::kName, &module, const_cast<TurnRows*>(&rows), nullptr);
  if (made == SQLITE_OK) return Ok();
  return MakeError(db, made, std::string("make the virtual table ") + Table::kName);
}

}  // namespace

Status RegisterTurnRows(sqlite3* db, const TurnRows& rows) {
  TRY_OK(Register<AttemptTable>(db, rows));
  TRY_OK(Register<PayloadTable>(db, rows));
  return Register<StepTable>(db, rows);
}

}  // namespace tasker::store::sqlite
