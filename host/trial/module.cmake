# One plugin by itself, without a store: one step of it, and whether it fits.
pkg_check_modules(LIBELF REQUIRED IMPORTED_TARGET libelf)
tasker_module(trial
  SOURCES trial/solo.cc trial/step_request.cc trial/image.cc trial/file_findings.cc trial/child.cc
    trial/process_state.cc trial/conduct.cc trial/behaviour.cc
  LINK tasker_plugin tasker_workflow tasker_log tasker_base tasker::sdk Boost::json PkgConfig::LIBELF)
