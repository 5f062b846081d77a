tasker_add_test(pipeline_tests LABEL unit
  SOURCES pipeline/templates_test.cc pipeline/timestamps_test.cc pipeline/envelope_test.cc
    pipeline/submission_test.cc pipeline/inbox_test.cc pipeline/demand_test.cc
    pipeline/hydrate_test.cc pipeline/settled_waiters_test.cc pipeline/turn_loop_test.cc pipeline/timeout_test.cc
    pipeline/host_test.cc
  LINK tasker_pipeline)
target_compile_definitions(pipeline_tests PRIVATE TASKER_TEST_PLUGINS="${PROJECT_BINARY_DIR}/tests/plugins")
add_dependencies(pipeline_tests hello_cpp)
