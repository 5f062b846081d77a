tasker_module(plugin
  SOURCES plugin/load_dirs.cc plugin/library.cc plugin/library_file.cc plugin/abi.cc plugin/text.cc
    plugin/handlers.cc plugin/registry.cc plugin/tokens.cc plugin/control_thread.cc plugin/attempts.cc plugin/ledger.cc
    plugin/record.cc plugin/log_line.cc plugin/host_table.cc plugin/residents.cc plugin/in_process.cc
  LINK tasker_base tasker_log tasker_workflow tasker::sdk Boost::json Boost::filesystem ${CMAKE_DL_LIBS})
