# Tests that drive the real binary. Their plugins land in a folder of their own; each test takes what it needs.
function(tasker_add_e2e_plugin source)
  get_filename_component(stem ${source} NAME_WE)
  tasker_add_plugin(e2e_${stem} SOURCES e2e/plugins/${source})
  set_target_properties(e2e_${stem} PROPERTIES CXX_STANDARD 17 OUTPUT_NAME ${stem}
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/plugins_e2e)
  target_link_libraries(e2e_${stem} PRIVATE Threads::Threads)
endfunction()

foreach(source echo.cc flaky.cc hold.cc killlog.c resume.cc)
  tasker_add_e2e_plugin(${source})
endforeach()

tasker_add_python_test(e2e.drop_in SCRIPT e2e/drop_in_test.py LABEL e2e TIMEOUT 300)
tasker_add_python_test(e2e.resume SCRIPT e2e/resume_test.py LABEL e2e TIMEOUT 300)
tasker_add_python_test(e2e.kill_loop SCRIPT e2e/kill_loop_test.py LABEL e2e TIMEOUT 600 ARGS --kills 20)
# They measure how long a host takes to end.
tasker_add_python_test(e2e.shutdown SCRIPT e2e/shutdown_test.py LABEL e2e TIMEOUT 300 SERIAL)
tasker_add_python_test(e2e.several_hosts SCRIPT e2e/several_hosts_test.py LABEL e2e TIMEOUT 300)
tasker_add_python_test(e2e.acts SCRIPT e2e/acts_test.py LABEL e2e TIMEOUT 300)
tasker_add_python_test(e2e.unserved SCRIPT e2e/unserved_test.py LABEL e2e TIMEOUT 300)
tasker_add_python_test(e2e.cli SCRIPT e2e/cli_test.py LABEL e2e TIMEOUT 300
  ARGS $<TARGET_FILE:tasker-host> ${PROJECT_BINARY_DIR}/plugins)
tasker_add_python_test(e2e.completion SCRIPT e2e/completion_test.py LABEL e2e TIMEOUT 120)
tasker_add_python_test(e2e.store_commands SCRIPT e2e/store_commands_test.py LABEL e2e TIMEOUT 300)
tasker_add_python_test(e2e.store_upkeep SCRIPT e2e/store_upkeep_test.py LABEL e2e TIMEOUT 300)
# It measures how often a watchdog is fed.
tasker_add_python_test(e2e.service SCRIPT e2e/service_test.py LABEL e2e TIMEOUT 300 SERIAL)
tasker_add_python_test(e2e.doctor SCRIPT e2e/doctor_test.py LABEL e2e TIMEOUT 300)
# ThreadSanitizer starts a thread of its own when it likes, which `plugin check` takes for the plugin's.
if(NOT TASKER_SANITIZE MATCHES thread)
  tasker_add_python_test(e2e.plugin_run SCRIPT e2e/plugin_run_test.py LABEL e2e TIMEOUT 120)
endif()
tasker_add_python_test(e2e.stuck_writer SCRIPT e2e/stuck_writer_test.py LABEL e2e TIMEOUT 120)
