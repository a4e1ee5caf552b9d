# The history checker: a library that its tests and the program share.
file(GLOB usher_history_sources CONFIGURE_DEPENDS tests/history/*.cpp)
list(FILTER usher_history_sources EXCLUDE REGEX "(/main|_test)\\.cpp$")
add_library(usher_history_room STATIC ${usher_history_sources})
target_link_libraries(usher_history_room PUBLIC usher_vocabulary fmt::fmt Threads::Threads)
target_include_directories(usher_history_room PUBLIC ${CMAKE_SOURCE_DIR})
usher_strict(usher_history_room)

usher_tests(usher_history_tests FOLDERS tests/history LINKS usher_history_room)

add_executable(usher_history tests/history/main.cpp)
target_link_libraries(usher_history PRIVATE usher_history_room CLI11::CLI11)
usher_strict(usher_history)
if(TARGET usher)
  usher_script_test(usher_history tests/history/history_test.py)
  set_tests_properties(usher_history PROPERTIES PROCESSORS 2)
endif()
