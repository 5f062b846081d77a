# tasker_add_plugin(NAME SOURCES FILE…): the plugin NAME.so. It exports one symbol, has everything resolved when it is
# loaded, and its tables are read-only from then on. Sources in C, C++ or both; C++ is compiled as C++17 or newer.
#
# With clang's sanitizers, whose symbols come with the program, also:
#   target_link_options(NAME PRIVATE -fsanitize=address -Wl,-z,undefs)
function(tasker_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES")
  if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
    message(FATAL_ERROR "tasker_add_plugin(${name}): write tasker_add_plugin(${name} SOURCES FILE…).")
  endif()
  set(exports ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map)
  add_library(${name} MODULE ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES PREFIX "" POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON LINK_DEPENDS ${exports})
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if("CXX" IN_LIST languages)
    target_compile_features(${name} PRIVATE cxx_std_17)
  endif()
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
  target_link_options(${name} PRIVATE -Wl,-z,defs -Wl,-z,now -Wl,-z,relro -Wl,--version-script=${exports})
  target_link_libraries(${name} PRIVATE tasker::sdk)
endfunction()
