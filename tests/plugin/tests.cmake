include(${CMAKE_SOURCE_DIR}/tests/plugins/plugins.cmake)

tasker_add_test(plugin_tests LABEL plugin
  SOURCES plugin/abi_test.cc plugin/registry_test.cc plugin/tokens_test.cc plugin/control_thread_test.cc
    plugin/in_process_test.cc plugin/shutdown_test.cc plugin/library_test.cc plugin/load_dirs_test.cc
    plugin/compat_test.cc support/scripted_plugin.cc
  LINK tasker_plugin)
target_compile_definitions(plugin_tests PRIVATE TASKER_TEST_PLUGINS="${TASKER_TEST_PLUGINS}")
add_dependencies(plugin_tests test_plugins)

# What the zoo's own linking shows, a sanitizer's would hide.
if(NOT TASKER_SANITIZE)
  tasker_add_python_test(plugin.zoo SCRIPT plugins/zoo_table.py LABEL plugin TIMEOUT 120)
  tasker_add_python_test(plugin.zoo_host SCRIPT plugins/zoo_host_test.py LABEL plugin TIMEOUT 120)
endif()
