# Random operations, each run printing the seed that repeats it; short here, long by their arguments. Not by
# gtest_discover_tests, which would take those away.
function(tasker_add_random_test name source)
  add_executable(${name} ${source})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARGN} tasker_sanitize tasker_warnings GTest::gtest)
  if(TARGET tasker_test_headers)
    target_precompile_headers(${name} REUSE_FROM tasker_test_headers)
  endif()
endfunction()

tasker_add_random_test(decide_ops_test model/decide_ops_test.cc tasker_workflow)
add_test(NAME model.decide COMMAND decide_ops_test --ops 100000)
set_tests_properties(model.decide PROPERTIES LABELS conformance TIMEOUT 300)
