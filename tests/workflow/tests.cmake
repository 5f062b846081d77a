tasker_add_test(workflow_tests LABEL unit
  SOURCES workflow/state_test.cc workflow/backoff_test.cc workflow/identity_test.cc workflow/graph_test.cc
    workflow/rows_test.cc workflow/template_test.cc workflow/template_fields_test.cc workflow/template_steps_test.cc
    workflow/template_yaml_test.cc workflow/schema_test.cc workflow/check_json_test.cc
    workflow/decide_test.cc workflow/decide_act_test.cc workflow/decide_timeout_test.cc
  LINK tasker_workflow)
