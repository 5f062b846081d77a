# Sanitizers would only test the compilers.
if(NOT TASKER_SANITIZE AND TASKER_BUILD_PACKAGING)
  tasker_add_python_test(package.install SCRIPT package/install_test.py LABEL package TIMEOUT 120)
endif()
