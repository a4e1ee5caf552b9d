# The live feed's description, embedded into the program as openapi.json is.
set(asyncapi_json ${CMAKE_SOURCE_DIR}/server/ws/asyncapi.json)
set(asyncapi_source ${CMAKE_BINARY_DIR}/generated/asyncapi_json.cpp)
add_custom_command(
  OUTPUT ${asyncapi_source}
  COMMAND ${CMAKE_COMMAND} -DINPUT=${asyncapi_json} -DOUTPUT=${asyncapi_source} -DHEADER=server/ws/asyncapi.hpp
          -DNAMESPACE=usher::server::asyncapi -DFUNCTION=document -P ${CMAKE_SOURCE_DIR}/server/openapi/embed.cmake
  DEPENDS ${asyncapi_json} ${CMAKE_SOURCE_DIR}/server/openapi/embed.cmake
  COMMENT "Embedding asyncapi.json"
  VERBATIM)
add_library(usher_asyncapi STATIC ${asyncapi_source})
target_link_libraries(usher_asyncapi PUBLIC usher_vocabulary)
target_include_directories(usher_asyncapi PUBLIC ${CMAKE_SOURCE_DIR})
usher_strict(usher_asyncapi)
