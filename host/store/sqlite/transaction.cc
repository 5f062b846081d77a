#include "store/sqlite/transaction.h"

namespace tasker::store::sqlite {

Result<std::unique_ptr<Transaction>> Transaction::Begin(Connection& connection,
                                                        Turnstile& turnstile) {
  TRY_OK(turnstile.Enter());
  if (auto begun = connection.BeginWrite(); !begun) {
    turnstile.Leave();
    return begun.error();
  }
  return std::unique_ptr<Transaction>(new Transaction(connection, turnstile));
}

Transaction::~Transaction() {
  if (!open_) return;
  connection_.Rollback();
  turnstile_.Leave();
}

Status Transaction::Commit() {
  TRY_OK(connection_.Commit());
  open_ = false;
  turnstile_.Leave();
  return Ok();
}

}  // namespace tasker::store::sqlite
