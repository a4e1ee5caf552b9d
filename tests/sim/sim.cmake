# The simulator. Its program needs of server/ only the saga, which it drives as the server does.
file(GLOB usher_sim_sources CONFIGURE_DEPENDS tests/sim/*.cpp)
list(FILTER usher_sim_sources EXCLUDE REGEX "(/main|_test)\\.cpp$")
add_library(usher_sim_room STATIC ${usher_sim_sources} server/api/saga.cpp)
target_link_libraries(usher_sim_room PUBLIC usher_engine usher_wal)
target_include_directories(usher_sim_room PUBLIC ${CMAKE_SOURCE_DIR})
usher_strict(usher_sim_room)

usher_tests(usher_sim_tests FOLDERS tests/sim LINKS usher_sim_room)

add_executable(usher_sim tests/sim/main.cpp)
target_link_libraries(usher_sim PRIVATE usher_sim_room fmt::fmt CLI11::CLI11)
usher_strict(usher_sim)
usher_script_test(usher_sim_smoke tests/sim/smoke_test.py)
