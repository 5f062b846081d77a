# find_package(Tasker CONFIG): the target tasker::sdk (the headers) and the function tasker_add_plugin.
include(${CMAKE_CURRENT_LIST_DIR}/TaskerTargets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/TaskerPlugin.cmake)
