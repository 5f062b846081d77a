tasker_module(config SOURCES config/load.cc config/show.cc LINK tasker_base tomlplusplus::tomlplusplus Boost::json)
