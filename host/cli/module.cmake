# What `plugin new` writes.
set(new_plugin ${CMAKE_SOURCE_DIR}/sdk/new_plugin)
set(new_plugin_files both/CMakeLists.txt both/README.md both/gitignore both/worker.toml both/workflow.yaml
  cpp/src/plugin.cc cpp/tests/plugin_test.cc c/src/plugin.c c/tests/plugin_test.cc)
list(TRANSFORM new_plugin_files PREPEND ${new_plugin}/ OUTPUT_VARIABLE new_plugin_paths)
add_custom_command(
  OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/new_plugin_files.cc
  COMMAND ${CMAKE_COMMAND} -DOUT=${CMAKE_CURRENT_BINARY_DIR}/new_plugin_files.cc -DFOLDER=${new_plugin}
    "-DFILES=${new_plugin_files}" -P ${CMAKE_CURRENT_SOURCE_DIR}/cli/embed_new_plugin.cmake
  DEPENDS ${new_plugin_paths} cli/embed_new_plugin.cmake VERBATIM)

# The command line, its words and drawings, the commands.
tasker_module(cli
  SOURCES cli/cli.cc cli/session.cc cli/signals.cc cli/client.cc
    cli/terminal.cc cli/style.cc cli/format.cc cli/table.cc cli/dag.cc cli/json_out.cc
    cli/task_picture.cc cli/task_timeline.cc cli/outcome_text.cc cli/progress.cc cli/watch.cc
    cli/find_template.cc cli/context_argument.cc
    cli/run.cc cli/start_watch.cc cli/submit.cc cli/status.cc cli/task_list.cc cli/task_show.cc
    cli/explain.cc cli/task_explain.cc
    cli/who.cc cli/task_act.cc cli/handler_list.cc cli/handler_pause.cc cli/dlq.cc
    cli/template_list.cc cli/template_show.cc cli/template_validate.cc cli/plugin_list.cc cli/config_show.cc
    cli/plugin_new.cc ${CMAKE_CURRENT_BINARY_DIR}/new_plugin_files.cc
    cli/step_options.cc cli/plugin_run.cc cli/plugin_check.cc cli/findings_text.cc
    cli/store_verify.cc cli/store_stats.cc cli/store_backup.cc cli/store_prune.cc
    cli/systemd.cc cli/attendant.cc cli/doctor.cc cli/doctor_machine.cc cli/doctor_handlers.cc
    cli/completion.cc cli/complete.cc
  LINK tasker_pipeline tasker_trial tasker_store tasker_plugin tasker_workflow tasker_log tasker_config tasker_base
    tasker::sdk CLI11::CLI11 Boost::json)
