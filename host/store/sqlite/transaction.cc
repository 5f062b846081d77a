#include "store/sqlite/transaction.h"

namespace tasker::store::sqlite {

Result<std::unique_ptr<Transaction>> Transaction::Begin(Connection& connection, Turnstile& turnstile) {
  TRY_OK(turnstile.Enter());
  if (auto begun = connection.Execute("BEGIN IMMEDIATE"); !begun) {
    turnstile.Leave();
    return begun.error();
  }
  return std::unique_ptr<Transaction>(new Transaction(connection, turnstile));
}

Transaction::~Transaction() {
  if (!open_) return;
  // Only a broken file refuses a rollback, and then the next Begin says so.
  if (connection_.in_transaction()) static_cast<void>(connection_.Execute("ROLLBACK"));
  turnstile_.Leave();
}

Status Transaction::Commit() {
  TRY_OK(connection_.Execute("COMMIT"));
  open_ = false;
  turnstile_.Leave();
  return Ok();
}

}  // namespace tasker::store::sqlite
