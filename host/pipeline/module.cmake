# In the order of the data path.
tasker_module(pipeline
  SOURCES pipeline/store_options.cc pipeline/templates.cc pipeline/timestamps.cc pipeline/envelope.cc
    pipeline/submission.cc pipeline/reply.cc pipeline/inbox.cc
    pipeline/turn_batch.cc pipeline/rate_window.cc pipeline/demand.cc pipeline/served_handlers.cc
    pipeline/claiming.cc pipeline/turn_loop.cc pipeline/places.cc pipeline/timeouts.cc pipeline/in_flight.cc
    pipeline/dispatcher.cc pipeline/hydrate.cc pipeline/executor.cc
    pipeline/settled_waiters.cc pipeline/peers.cc pipeline/pruning.cc pipeline/missing_handlers.cc
    pipeline/task_shapes.cc pipeline/task_service.cc pipeline/task_client.cc pipeline/status_json.cc pipeline/host.cc
  LINK tasker_base tasker_config tasker_log tasker_workflow tasker_store tasker_plugin Boost::json)
set_source_files_properties(pipeline/host.cc PROPERTIES COMPILE_DEFINITIONS TASKER_HOST_VERSION="${TASKER_VERSION}")
