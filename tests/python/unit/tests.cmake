# The pure-Python package over a fake native module: one pytest run, so that the package is imported once.
# TASKER_TEST_PYTHON has plugins/python/constraints.txt; it is the .venv of scripts/setup unless given.
set(TASKER_TEST_PYTHON "${PROJECT_SOURCE_DIR}/.venv/bin/python" CACHE FILEPATH "Python of the package's tests")
set(PYTHON_UNIT_TESTS
  batches_test.py domain_events_test.py execution_test.py guides_test.py hand_wired_test.py handlers_test.py
  public_names_test.py readme_test.py registry_test.py surface_test.py testing_test.py types_test.py typing_test.py
  worker_test.py)
list(TRANSFORM PYTHON_UNIT_TESTS PREPEND "${CMAKE_CURRENT_LIST_DIR}/")
add_test(NAME python.unit
  COMMAND "${TASKER_TEST_PYTHON}" -B -m pytest -q -p no:cacheprovider ${PYTHON_UNIT_TESTS}
  WORKING_DIRECTORY "${CMAKE_CURRENT_LIST_DIR}")
set_tests_properties(python.unit PROPERTIES TIMEOUT 120 LABELS python)
