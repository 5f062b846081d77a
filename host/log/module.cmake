tasker_module(log SOURCES log/log.cc LINK tasker_base tasker_config Boost::log)
