tasker_add_test(cli_tests LABEL unit
  SOURCES cli/exit_code_test.cc cli/style_test.cc cli/format_test.cc cli/table_test.cc cli/dag_test.cc
    cli/task_picture_test.cc cli/progress_test.cc cli/json_out_test.cc cli/explain_test.cc cli/context_argument_test.cc
  LINK tasker_cli)
