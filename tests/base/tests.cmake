tasker_add_test(base_tests LABEL unit SOURCES base/uuid_test.cc base/result_test.cc base/clock_test.cc LINK tasker_base)
