include(store/locks.cmake)

set(sql_paths store/sqlite/migrations/001_initial.sql store/sqlite/sql/turn.sql
  store/sqlite/sql/turn_rows.sql store/sqlite/sql/admin.sql
  store/sqlite/sql/read.sql store/sqlite/sql/verify.sql store/sqlite/sql/upkeep.sql)
list(TRANSFORM sql_paths PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
add_custom_command(
  OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/store_sql.cc
  COMMAND ${CMAKE_COMMAND} -DOUT=${CMAKE_CURRENT_BINARY_DIR}/store_sql.cc "-DSQL=${sql_paths}"
    -P ${CMAKE_CURRENT_SOURCE_DIR}/store/sqlite/embed.cmake
  DEPENDS ${sql_paths} store/sqlite/embed.cmake VERBATIM)

tasker_module(store
  SOURCES store/open.cc store/turn.cc store/turn_collect.cc store/turn_claims.cc store/turn_texts.cc store/task_cache.cc
    store/admin.cc store/verify.cc store/stats.cc store/backup.cc store/prune.cc store/probe.cc
    store/reader.cc store/reader_tasks.cc store/reader_counts.cc store/reader_operations.cc
    store/sqlite/connection.cc store/sqlite/schema.cc store/sqlite/transaction.cc store/sqlite/tx.cc
    store/sqlite/tx_rows.cc store/sqlite/turn_rows.cc store/sqlite/log_vfs.cc ${CMAKE_CURRENT_BINARY_DIR}/store_sql.cc
  LINK tasker_store_locks tasker_base tasker_log tasker_workflow SQLite::SQLite3)

include(store/memory.cmake)
