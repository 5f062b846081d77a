tasker_add_test(config_tests LABEL unit
  SOURCES config/keys_test.cc config/load_test.cc config/substitute_test.cc config/show_test.cc
    config/worker_toml_test.cc
  LINK tasker_config)
target_compile_definitions(config_tests PRIVATE TASKER_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
