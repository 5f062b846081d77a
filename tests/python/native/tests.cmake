# What of the package's native part needs no interpreter; built without Python, too, for the sanitizers.
set(python_native ${CMAKE_SOURCE_DIR}/plugins/python/native)
tasker_add_test(python_native_tests LABEL unit
  SOURCES python/native/host_link_test.cc python/native/crowd_test.cc
    python/native/step_queue_test.cc python/native/event_json_test.cc
    python/native/fake_host.cc ${python_native}/event_json.cc ${python_native}/host_link.cc
    ${python_native}/json_text.cc ${python_native}/step_queue.cc ${python_native}/crowd.cc
  LINK tasker::sdk tasker_base Boost::json)
target_include_directories(python_native_tests PRIVATE ${python_native})
