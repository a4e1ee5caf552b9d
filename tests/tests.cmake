# Tests that are scripts. They find the built programs through the environment, print "N checks passed, M failed" as
# their last line, and run alone where they load both cores.
function(usher_script_test name script)
  add_test(NAME ${name} COMMAND python3 ${CMAKE_SOURCE_DIR}/${script} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 3600 ENVIRONMENT
                       "USHER_BUILD=${CMAKE_BINARY_DIR};PYTHONDONTWRITEBYTECODE=1")
endfunction()

usher_script_test(tools_check tools/check.d/check_test.py)
usher_script_test(kill_model tests/crash/model_test.py)
usher_script_test(bench_report tests/bench/report_test.py)
if(TARGET usher)
  usher_script_test(usher_bad_input tests/e2e/bad_input_test.py)
  usher_script_test(usher_tour tests/e2e/tour_test.py)
  usher_script_test(usher_ticket tests/e2e/ticket_test.py)
  usher_script_test(usher_sale tests/e2e/sale_test.py)
  usher_script_test(usher_fair_use tests/e2e/fair_use_test.py)
  usher_script_test(usher_queue tests/e2e/queue_test.py)
  usher_script_test(usher_queue_kill tests/crash/queue_kill_test.py)
  usher_script_test(usher_kill tests/crash/kill_test.py)
  usher_script_test(usher_damage tests/crash/damage_test.py)
  usher_script_test(usher_flash_sale tests/e2e/flash_sale_test.py)
  set_tests_properties(usher_flash_sale PROPERTIES PROCESSORS 2)
  set_tests_properties(usher_bad_input usher_tour usher_sale usher_kill usher_damage usher_fair_use usher_queue usher_queue_kill PROPERTIES PROCESSORS 2)
  add_test(NAME bench_smoke COMMAND python3 ${CMAKE_SOURCE_DIR}/bench/run.py --smoke
           --report ${CMAKE_BINARY_DIR}/bench_smoke.json WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(bench_smoke PROPERTIES PROCESSORS 2 TIMEOUT 600 ENVIRONMENT
                       "USHER_BUILD=${CMAKE_BINARY_DIR};PYTHONDONTWRITEBYTECODE=1")
endif()
