# What processes that share a store coordinate by: POSIX locks, the bell, modes. No SQLite in it.
tasker_module(store_locks
  SOURCES store/worker_notice.cc store/sqlite/files.cc store/sqlite/process_table.cc store/sqlite/lock_file.cc
    store/sqlite/turnstile.cc store/sqlite/bell.cc store/sqlite/life.cc store/sqlite/schema_lock.cc
  LINK tasker_base tasker_log tasker_workflow)
