tasker_module(plugin
  SOURCES plugin/tokens.cc plugin/registry.cc plugin/abi.cc plugin/library.cc plugin/in_process.cc
  LINK tasker_base tasker_log tasker_workflow tasker::sdk Boost::json Boost::filesystem ${CMAKE_DL_LIBS})
