# Floors (bare limits), the load client and the micro benches. `tools/bench` runs them.
add_executable(usher_floor_http bench/floors/beast_responder.cpp)
target_link_libraries(usher_floor_http PRIVATE Boost::headers Boost::system Threads::Threads)
usher_strict(usher_floor_http)

add_executable(usher_floor_log bench/floors/rocksdb_committer.cpp)
target_link_libraries(usher_floor_log PRIVATE RocksDB::rocksdb Threads::Threads)
usher_strict(usher_floor_log)

file(GLOB load_sources CONFIGURE_DEPENDS bench/load/*.cpp)
add_executable(usher_load ${load_sources})
target_include_directories(usher_load PRIVATE ${CMAKE_SOURCE_DIR})
target_link_libraries(usher_load PRIVATE usher_http OpenSSL::Crypto Threads::Threads)
usher_strict(usher_load)

# The live feed: its readers, and the bare loop that they are told by.
add_executable(usher_floor_feed bench/floors/feed_sender.cpp)
add_executable(usher_feed_load bench/feed/main.cpp bench/feed/readers.cpp bench/load/tokens.cpp)
target_link_libraries(usher_feed_load PRIVATE OpenSSL::Crypto)
add_executable(usher_feed_crowd bench/feed/crowd_main.cpp bench/feed/crowd.cpp bench/feed/readers.cpp)
foreach(program usher_floor_feed usher_feed_load usher_feed_crowd)
  target_include_directories(${program} PRIVATE ${CMAKE_SOURCE_DIR})
  usher_strict(${program})
endforeach()

# What the log holds beside what a client was told.
add_executable(usher_check bench/check/main.cpp bench/check/ledger.cpp)
target_include_directories(usher_check PRIVATE ${CMAKE_SOURCE_DIR})
target_link_libraries(usher_check PRIVATE Boost::headers)
usher_strict(usher_check)

usher_tests(usher_bench_tests FOLDERS tests/bench LINKS Boost::headers)
target_sources(usher_bench_tests PRIVATE bench/check/ledger.cpp)

# The peers' clients, where hiredis and libpq are installed (tools/deps bench).
set(peer_sources bench/peers/closed_loop.cpp bench/load/figures.cpp)
find_library(HIREDIS hiredis)
if(HIREDIS)
  add_executable(usher_peer_redis bench/peers/redis.cpp ${peer_sources})
  target_include_directories(usher_peer_redis PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(usher_peer_redis PRIVATE ${HIREDIS})
  usher_strict(usher_peer_redis)
endif()
find_library(LIBPQ pq)
if(LIBPQ)
  add_executable(usher_peer_postgres bench/peers/postgres.cpp ${peer_sources})
  target_include_directories(usher_peer_postgres PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(usher_peer_postgres PRIVATE ${LIBPQ})
  usher_strict(usher_peer_postgres)
endif()

add_executable(usher_replay_rate bench/replay/main.cpp)
target_link_libraries(usher_replay_rate PRIVATE usher_engine usher_wal)
usher_strict(usher_replay_rate)

add_executable(usher_show_memory bench/memory/main.cpp)
target_link_libraries(usher_show_memory PRIVATE usher_engine)
usher_strict(usher_show_memory)

file(GLOB micro_sources CONFIGURE_DEPENDS bench/micro/*_bench.cpp)
if(micro_sources)
  add_executable(usher_micro ${micro_sources})
  target_link_libraries(usher_micro PRIVATE usher_engine usher_wal usher_http usher_identity usher_browse
                        benchmark::benchmark_main Threads::Threads)
  target_include_directories(usher_micro PRIVATE ${CMAKE_SOURCE_DIR})
  usher_strict(usher_micro)
endif()

# The flash sale: people, and the reckoning afterwards.
file(GLOB flash_sources CONFIGURE_DEPENDS bench/flash_sale/*.cpp)
list(FILTER flash_sources EXCLUDE REGEX "/main\\.cpp$")
add_library(usher_flash STATIC ${flash_sources} bench/load/tokens.cpp)
target_include_directories(usher_flash PUBLIC ${CMAKE_SOURCE_DIR})
target_link_libraries(usher_flash PUBLIC usher_vocabulary usher_config usher_journal tomlplusplus::tomlplusplus fmt::fmt simdjson::simdjson
                      OpenSSL::Crypto Boost::headers Boost::system Threads::Threads)
usher_strict(usher_flash)
add_executable(usher_bench bench/flash_sale/main.cpp)
target_link_libraries(usher_bench PRIVATE usher_flash CLI11::CLI11)
usher_strict(usher_bench)
usher_tests(usher_flash_tests FOLDERS tests/bench/flash_sale LINKS usher_flash)
target_compile_definitions(usher_flash_tests PRIVATE USHER_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
