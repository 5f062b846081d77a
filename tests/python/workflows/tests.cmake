# Upstream's workflows on the real host. TASKER_TEST_PYTHON as in ../unit/tests.cmake; the package is the build's.
add_test(NAME python.workflows
  COMMAND "${TASKER_TEST_PYTHON}" -B -m pytest -q -p no:cacheprovider business_test.py surroundings_test.py
    upstream_defects_test.py workflows_test.py
  WORKING_DIRECTORY "${CMAKE_CURRENT_LIST_DIR}")
set_tests_properties(python.workflows PROPERTIES TIMEOUT 120 LABELS python
  ENVIRONMENT "PYTHONPATH=${PROJECT_BINARY_DIR}/python")
