# The API's description, embedded into the program: server/openapi/openapi.json becomes a source while building.
set(openapi_json ${CMAKE_SOURCE_DIR}/server/openapi/openapi.json)
set(openapi_source ${CMAKE_BINARY_DIR}/generated/openapi_json.cpp)
add_custom_command(
  OUTPUT ${openapi_source}
  COMMAND ${CMAKE_COMMAND} -DINPUT=${openapi_json} -DOUTPUT=${openapi_source} -DHEADER=server/openapi/openapi.hpp
          -DNAMESPACE=usher::server::openapi -DFUNCTION=document -P ${CMAKE_SOURCE_DIR}/server/openapi/embed.cmake
  DEPENDS ${openapi_json} ${CMAKE_SOURCE_DIR}/server/openapi/embed.cmake
  COMMENT "Embedding openapi.json"
  VERBATIM)
add_library(usher_openapi STATIC ${openapi_source})
target_link_libraries(usher_openapi PUBLIC usher_vocabulary)
target_include_directories(usher_openapi PUBLIC ${CMAKE_SOURCE_DIR})
usher_strict(usher_openapi)

usher_tests(usher_openapi_tests FOLDERS tests/server/openapi LINKS usher_openapi)
find_package(Python3 COMPONENTS Interpreter)
set(openapi_check ${CMAKE_SOURCE_DIR}/tests/server/openapi/document_check.py)
if(Python3_FOUND)
  add_test(NAME usher_openapi_document COMMAND ${Python3_EXECUTABLE} ${openapi_check} ${openapi_json} ${PROJECT_VERSION}
                                               ${CMAKE_SOURCE_DIR})
endif()
