# The turn's transaction in memory: for tests and simulations. Not a part of any program that is installed.
tasker_module(store_memory SOURCES store/memory/tx.cc LINK tasker_store tasker_base tasker_workflow)
