# With the real module, and under the real binary. One CTest entry a file.
foreach(script bad_input_test.py client_test.py differences_test.py embedded_test.py ends_test.py events_test.py
    fastapi_app_test.py fastapi_page_test.py golden_test.py hand_wired_test.py import_test.py installed_test.py
    order_fulfillment_test.py packages_test.py restarts_test.py stops_test.py timeouts_test.py upstream_test.py
    watch_test.py worker_test.py)
  string(REPLACE "_test.py" "" stem ${script})
  add_test(NAME python.${stem} COMMAND "${TASKER_TEST_PYTHON}" -B -m pytest -q -rs -p no:cacheprovider
    ${CMAKE_CURRENT_LIST_DIR}/${script} WORKING_DIRECTORY ${CMAKE_CURRENT_LIST_DIR})
  set_tests_properties(python.${stem} PROPERTIES LABELS python TIMEOUT 300
    SKIP_REGULAR_EXPRESSION "\n[0-9]+ skipped in "  # nothing of the file ran, and its output says why
    ENVIRONMENT "TASKER_BUILD=${PROJECT_BINARY_DIR};TASKER_HOST=$<TARGET_FILE:tasker-host>")
endforeach()
