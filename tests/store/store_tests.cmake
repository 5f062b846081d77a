tasker_add_test(store_tests LABEL conformance SOURCES store/turn_test.cc LINK tasker_store tasker_workflow SQLite::SQLite3)
