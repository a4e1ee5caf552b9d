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
  usher_script_test(usher_catalog_admin tests/e2e/catalog_admin_test.py)
  usher_script_test(usher_tour tests/e2e/tour_test.py)
  usher_script_test(usher_ticket tests/e2e/ticket_test.py)
  usher_script_test(usher_sale tests/e2e/sale_test.py)
  usher_script_test(usher_feed tests/e2e/feed_test.py)
  usher_script_test(usher_hostile tests/e2e/hostile_test.py)
  # The same by Asio's epoll, which serves where the kernel offers no io_uring.
  usher_script_test(usher_feed_epoll tests/e2e/feed_test.py)
  usher_script_test(usher_hostile_epoll tests/e2e/hostile_test.py)
  set_property(TEST usher_feed_epoll usher_hostile_epoll APPEND PROPERTY ENVIRONMENT USHER_TEST_EPOLL=1)
  usher_script_test(usher_kill tests/crash/kill_test.py)
  usher_script_test(usher_damage tests/crash/damage_test.py)
  usher_script_test(usher_flash_sale tests/e2e/flash_sale_test.py)
  set_tests_properties(usher_flash_sale PROPERTIES PROCESSORS 2)
  set_tests_properties(usher_bad_input usher_tour usher_sale usher_feed usher_feed_epoll usher_hostile usher_hostile_epoll
                       usher_kill usher_damage PROPERTIES PROCESSORS 2)
  add_test(NAME bench_smoke COMMAND python3 ${CMAKE_SOURCE_DIR}/bench/run.py --smoke
           --report ${CMAKE_BINARY_DIR}/bench_smoke.json WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(bench_smoke PROPERTIES PROCESSORS 2 TIMEOUT 600 ENVIRONMENT
                       "USHER_BUILD=${CMAKE_BINARY_DIR};PYTHONDONTWRITEBYTECODE=1")
endif()

# The crash matrix: the real log on RocksDB over a file system that fails; and rot: the same with synced bytes damaged.
file(GLOB crash_support_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/crash/matrix/*.cpp)
list(FILTER crash_support_sources EXCLUDE REGEX "/main\\.cpp$")
add_library(usher_crash_support STATIC ${crash_support_sources})
target_link_libraries(usher_crash_support PUBLIC usher_wal CLI11::CLI11 Threads::Threads)
usher_strict(usher_crash_support)
add_executable(usher_crash_matrix tests/crash/matrix/main.cpp)
file(GLOB rot_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/crash/rot/*.cpp)
add_executable(usher_rot ${rot_sources})
foreach(program usher_crash_matrix usher_rot)
  target_link_libraries(${program} PRIVATE usher_crash_support)
  usher_strict(${program})
endforeach()
usher_script_test(usher_crash_matrix tests/crash/matrix_test.py)
usher_script_test(usher_rot tests/crash/rot_test.py)
set_tests_properties(usher_crash_matrix usher_rot PROPERTIES PROCESSORS 2)
if(TARGET usher)
  usher_script_test(usher_golden tests/golden/golden_test.py)
endif()
usher_script_test(usher_monitoring tests/monitoring/monitoring_test.py)
if(TARGET usher)
  # the pages in Debian's Chromium; code 77 says that there is none, and why
  add_test(NAME usher_pages COMMAND ${CMAKE_SOURCE_DIR}/tests/web/run)
  set_tests_properties(usher_pages PROPERTIES PROCESSORS 2 TIMEOUT 1800 SKIP_RETURN_CODE 77 ENVIRONMENT
                       "USHER_BUILD=${CMAKE_BINARY_DIR}")
endif()
include(tests/sim/sim.cmake)
