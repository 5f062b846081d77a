# What every backend of the store must do, run over each of them.
add_library(tasker_test_backends STATIC EXCLUDE_FROM_ALL support/turn_backend.cc)
target_include_directories(tasker_test_backends PRIVATE ${CMAKE_SOURCE_DIR})
target_link_libraries(tasker_test_backends
  PUBLIC tasker_store_memory tasker_store tasker_workflow SQLite::SQLite3 tasker_sanitize PRIVATE tasker_warnings)

tasker_add_test(conformance_tests LABEL conformance
  SOURCES conformance/tx_test.cc conformance/turn_test.cc
  LINK tasker_test_backends)
