tasker_add_test(store_lock_tests LABEL unit
  SOURCES store/files_test.cc store/turnstile_test.cc store/bell_test.cc store/life_test.cc
  LINK tasker_store_locks)

include(store/store_tests.cmake)
