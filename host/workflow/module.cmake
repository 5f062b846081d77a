tasker_module(workflow
  SOURCES workflow/template.cc workflow/schema.cc workflow/graph.cc workflow/state.cc workflow/backoff.cc
    workflow/identity.cc workflow/decide.cc
  LINK tasker_base Boost::json yaml-cpp PkgConfig::SODIUM)
