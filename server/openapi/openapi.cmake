# usher_embedded_json(NAME FILE HEADER): library usher_NAME, whose function usher::server::NAME::document() of HEADER answers the
# bytes of FILE.
function(usher_embedded_json name file header)
  set(source ${CMAKE_BINARY_DIR}/generated/${name}_json.cpp)
  set(embed ${CMAKE_SOURCE_DIR}/server/openapi/embed.cmake)
  add_custom_command(
    OUTPUT ${source}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${file} -DOUTPUT=${source} -DHEADER=${header} -DNAMESPACE=usher::server::${name}
            -DFUNCTION=document -P ${embed}
    DEPENDS ${file} ${embed}
    COMMENT "Embedding ${name}.json"
    VERBATIM)
  add_library(usher_${name} STATIC ${source})
  target_link_libraries(usher_${name} PUBLIC usher_vocabulary)
  target_include_directories(usher_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  usher_strict(usher_${name})
endfunction()

# The API's description, and the live feed's.
set(openapi_json ${CMAKE_SOURCE_DIR}/server/openapi/openapi.json)
usher_embedded_json(openapi ${openapi_json} server/openapi/openapi.hpp)
usher_embedded_json(asyncapi ${CMAKE_SOURCE_DIR}/server/ws/asyncapi.json server/ws/asyncapi.hpp)

usher_tests(usher_openapi_tests FOLDERS tests/server/openapi LINKS usher_openapi)
find_package(Python3 COMPONENTS Interpreter)
set(openapi_check ${CMAKE_SOURCE_DIR}/tests/server/openapi/document_check.py)
if(Python3_FOUND)
  add_test(NAME usher_openapi_document COMMAND ${Python3_EXECUTABLE} ${openapi_check} ${openapi_json} ${PROJECT_VERSION}
                                               ${CMAKE_SOURCE_DIR})
endif()
