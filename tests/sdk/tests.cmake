# The headers by themselves, in every language that they promise, with all warnings as errors.
add_library(sdk_layout OBJECT sdk/layout.c)
target_link_libraries(sdk_layout PRIVATE tasker::sdk tasker_warnings)

set(sdk_headers sdk_layout)
foreach(standard 11 14 17 20)
  add_library(sdk_plugin_h_cxx${standard} OBJECT sdk/plugin_h.cc)
  list(APPEND sdk_headers sdk_plugin_h_cxx${standard})
endforeach()
foreach(standard 17 20)
  add_library(sdk_plugin_hpp_cxx${standard} OBJECT sdk/plugin_hpp.cc)
  list(APPEND sdk_headers sdk_plugin_hpp_cxx${standard})
endforeach()
foreach(target ${sdk_headers})
  string(REGEX MATCH "cxx([0-9]+)$" matched ${target})
  if(matched)
    set_target_properties(${target} PROPERTIES CXX_STANDARD ${CMAKE_MATCH_1})
    target_compile_definitions(${target} PRIVATE SDK_STANDARD=${CMAKE_MATCH_1})
    target_link_libraries(${target} PRIVATE tasker::sdk tasker_warnings)
  endif()
endforeach()

tasker_add_test(sdk_tests LABEL unit SOURCES sdk/headers_test.cc LINK ${sdk_headers} tasker::sdk tasker_sanitize)

# Against the host's own module, whose judgement they share.
tasker_add_test(sdk_wrapper_tests LABEL unit SOURCES sdk/json_test.cc sdk/testing_host_test.cc
  LINK tasker_plugin tasker::sdk)
target_compile_definitions(sdk_wrapper_tests PRIVATE TASKER_TEST_PLUGINS="${TASKER_TEST_PLUGINS}")
add_dependencies(sdk_wrapper_tests hello_c)

# Builds plugins with the installed SDK; sanitizers would only test the compilers.
if(NOT TASKER_SANITIZE)
  tasker_add_python_test(sdk.plugin_new SCRIPT sdk/author_test.py ARGS PluginNew LABEL e2e TIMEOUT 300)
  tasker_add_python_test(sdk.examples SCRIPT sdk/author_test.py ARGS Examples LABEL e2e TIMEOUT 300)
endif()
tasker_add_python_test(sdk.abi SCRIPT sdk/abi_test.py LABEL unit TIMEOUT 120)
