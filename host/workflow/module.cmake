find_path(VALIJSON_INCLUDE valijson/validator.hpp REQUIRED)

tasker_module(workflow
  SOURCES workflow/template.cc workflow/template_yaml.cc workflow/template_fields.cc
    workflow/template_json.cc workflow/template_step.cc workflow/template_check.cc
    workflow/schema.cc workflow/schema_prepare.cc workflow/schema_keywords.cc
    workflow/schema_report.cc workflow/check_json.cc
    workflow/graph.cc workflow/rows.cc workflow/state.cc workflow/backoff.cc workflow/identity.cc
    workflow/outcome_json.cc workflow/decide.cc workflow/decide_act.cc
  LINK tasker_base Boost::json yaml-cpp PkgConfig::SODIUM)
