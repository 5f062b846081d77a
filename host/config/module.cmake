tasker_module(config
  SOURCES config/load.cc config/file.cc config/upstream.cc config/substitute.cc config/value.cc config/keys.cc
    config/show.cc
  LINK tasker_base tomlplusplus::tomlplusplus Boost::json)
