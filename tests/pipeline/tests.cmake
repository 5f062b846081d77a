tasker_add_test(pipeline_tests LABEL unit
  SOURCES pipeline/templates_test.cc pipeline/submission_test.cc pipeline/inbox_test.cc pipeline/demand_test.cc
    pipeline/hydrate_test.cc pipeline/settled_waiters_test.cc pipeline/turn_loop_test.cc
  LINK tasker_pipeline)
