# Tests that kill, freeze and starve the real binary. The shim stands between it and the C library, by LD_PRELOAD,
# and is never installed.
tasker_add_plugin(chaos_plugin SOURCES chaos/plugins/chaos.c)
set_target_properties(chaos_plugin PROPERTIES OUTPUT_NAME chaos
  LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/plugins_e2e)

add_library(store_shim MODULE chaos/shim/store_shim.c)
target_compile_options(store_shim PRIVATE -fvisibility=hidden -U_FORTIFY_SOURCE)
target_link_libraries(store_shim PRIVATE ${CMAKE_DL_LIBS} tasker_warnings)
set_target_properties(store_shim PROPERTIES PREFIX "" OUTPUT_NAME store_shim
  LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)

tasker_add_python_test(chaos.poison SCRIPT chaos/poison_test.py LABEL e2e TIMEOUT 300)
# A sanitizer's runtime must come before every other library; the shim would.
if(NOT TASKER_SANITIZE)
  tasker_add_python_test(chaos.phases SCRIPT chaos/phase_kill_test.py LABEL e2e TIMEOUT 300 ARGS --each 10)
  tasker_add_python_test(chaos.stopped SCRIPT chaos/stopped_test.py LABEL e2e TIMEOUT 120)
  tasker_add_python_test(chaos.faults SCRIPT chaos/fault_test.py LABEL e2e TIMEOUT 300)
  # Long: scripts/chaos --minutes N.
  tasker_add_python_test(chaos.random SCRIPT chaos/chaos_test.py LABEL e2e TIMEOUT 300 ARGS --seconds 20 --hosts 2)
endif()
