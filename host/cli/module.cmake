# The command line, its words and drawings, the commands.
tasker_module(cli
  SOURCES cli/cli.cc cli/session.cc cli/signals.cc cli/client.cc
    cli/terminal.cc cli/style.cc cli/format.cc cli/table.cc cli/dag.cc cli/json_out.cc
    cli/task_picture.cc cli/task_timeline.cc cli/outcome_text.cc cli/progress.cc cli/watch.cc
    cli/find_template.cc cli/context_argument.cc
    cli/run.cc cli/submit.cc cli/status.cc cli/task_list.cc cli/task_show.cc
    cli/explain.cc cli/task_explain.cc
    cli/who.cc cli/task_act.cc cli/handler_list.cc cli/handler_pause.cc cli/dlq.cc
    cli/template_list.cc cli/template_show.cc cli/template_validate.cc cli/plugin_list.cc cli/config_show.cc
    cli/store_verify.cc cli/store_stats.cc cli/store_backup.cc cli/store_prune.cc
    cli/systemd.cc cli/attendant.cc cli/doctor.cc cli/doctor_machine.cc cli/doctor_handlers.cc
  LINK tasker_pipeline tasker_store tasker_plugin tasker_workflow tasker_log tasker_config tasker_base tasker::sdk
    CLI11::CLI11 Boost::json)
