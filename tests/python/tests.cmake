# The Python package. The interpreter is the .venv of scripts/setup, unless TASKER_TEST_PYTHON names another one.
if(TASKER_BUILD_PYTHON)
  include(${CMAKE_CURRENT_LIST_DIR}/unit/tests.cmake)
  include(${CMAKE_CURRENT_LIST_DIR}/workflows/tests.cmake)

  # With the real module, and under the real binary. One CTest entry a file.
  foreach(stem worker ends golden hand_wired embedded client
      order_fulfillment)
    add_test(NAME python.${stem} COMMAND "${TASKER_TEST_PYTHON}" -B -m pytest -q -p no:cacheprovider
      ${CMAKE_CURRENT_LIST_DIR}/e2e/${stem}_test.py WORKING_DIRECTORY ${CMAKE_CURRENT_LIST_DIR}/e2e)
    set_tests_properties(python.${stem} PROPERTIES LABELS python TIMEOUT 300
      ENVIRONMENT "TASKER_BUILD=${PROJECT_BINARY_DIR};TASKER_HOST=$<TARGET_FILE:tasker-host>")
  endforeach()
endif()
