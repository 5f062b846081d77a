tasker_module(log SOURCES log/log.cc log/format.cc log/repeats.cc LINK tasker_base tasker_config Boost::log)
