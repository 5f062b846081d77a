tasker_add_test(log_tests LABEL unit SOURCES log/log_test.cc log/format_test.cc log/repeats_test.cc
  LINK tasker_log Boost::json)
