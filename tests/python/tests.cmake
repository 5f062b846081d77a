include(${CMAKE_CURRENT_LIST_DIR}/native/tests.cmake)
# The Python package. The interpreter is the .venv of scripts/setup, unless TASKER_TEST_PYTHON names another one.
if(TASKER_BUILD_PYTHON)
  foreach(folder unit workflows e2e)
    include(${CMAKE_CURRENT_LIST_DIR}/${folder}/tests.cmake)
  endforeach()
endif()
