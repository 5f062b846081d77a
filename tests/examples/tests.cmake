if(TASKER_BUILD_EXAMPLES)
  tasker_add_test(package_audit_tests LABEL unit SOURCES examples/package_audit_test.cc LINK package_audit_analysis)

  # The real host, the real plugin, this machine's packages; compared with dpkg-query and an independent computation.
  if(TARGET tasker-host)
    tasker_add_python_test(examples.package_audit SCRIPT examples/run_package_audit.py LABEL e2e TIMEOUT 300
      ARGS $<TARGET_FILE:tasker-host> $<TARGET_FILE_DIR:package_audit>)
    set_tests_properties(examples.package_audit PROPERTIES
      REQUIRED_FILES ${CMAKE_CURRENT_LIST_DIR}/package_audit_test.py)
  endif()
endif()
