# Tests that are scripts. They find the built programs through the environment, print "N checks passed, M failed" as
# their last line, and run alone where they load both cores.
function(usher_script_test name script)
  add_test(NAME ${name} COMMAND python3 ${CMAKE_SOURCE_DIR}/${script} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 3600 ENVIRONMENT
                       "USHER_BUILD=${CMAKE_BINARY_DIR};PYTHONDONTWRITEBYTECODE=1")
endfunction()

usher_script_test(tools_check tools/check.d/check_test.py)
usher_script_test(kill_model tests/crash/model_test.py)
if(TARGET usher)
  foreach(script e2e/sale e2e/bad_input e2e/tour crash/kill)
    get_filename_component(name ${script} NAME)
    usher_script_test(usher_${name} tests/${script}_test.py)
    set_tests_properties(usher_${name} PROPERTIES PROCESSORS 2)
  endforeach()
endif()
