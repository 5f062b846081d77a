tasker_add_test(store_tests LABEL conformance
  SOURCES store/open_test.cc store/turn_test.cc store/turn_texts_test.cc store/query_plan_test.cc
    store/log_vfs_test.cc store/reader_test.cc store/verify_test.cc
  LINK tasker_store tasker_workflow SQLite::SQLite3)
