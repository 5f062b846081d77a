# Random operations, each run printing the seed that repeats it; short here, long by their arguments. Not by
# gtest_discover_tests, which would take those away.
function(tasker_add_random_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_LINK} tasker_sanitize tasker_warnings GTest::gtest)
  if(TARGET tasker_test_headers)
    target_precompile_headers(${name} REUSE_FROM tasker_test_headers)
  endif()
endfunction()

tasker_add_random_test(decide_ops_test SOURCES model/decide_ops_test.cc LINK tasker_workflow)
tasker_add_random_test(store_model_test SOURCES model/store_model_test.cc model/random_store.cc model/reference.cc
  LINK tasker_test_backends)
add_test(NAME model.decide COMMAND decide_ops_test --ops 100000)
add_test(NAME model.store COMMAND store_model_test --ops 10000 --seeds 100)
set_tests_properties(model.decide model.store PROPERTIES LABELS conformance TIMEOUT 300)
