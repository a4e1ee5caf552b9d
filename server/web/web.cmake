# The pages, bundled into the program: npm's pinned packages are fetched once, then esbuild makes the files and a C++ source that
# holds them. Nothing of it is in the repository. Node 18 or newer and npm come from Debian (tools/deps build).
find_program(NODE node)
find_program(NPM npm)
if(NOT NODE OR NOT NPM)
  message(FATAL_ERROR "The pages of server/web need node and npm to be built: tools/deps build installs them.")
endif()
set(web ${CMAKE_SOURCE_DIR}/server/web)
set(web_modules ${web}/node_modules/.package-lock.json)
set(web_source ${CMAKE_BINARY_DIR}/generated/web_files.cpp)
file(GLOB_RECURSE web_sources CONFIGURE_DEPENDS ${web}/src/*)
add_custom_command(
  OUTPUT ${web_modules}
  COMMAND ${NPM} ci --no-audit --no-fund --loglevel=error
  COMMAND ${CMAKE_COMMAND} -E touch ${web_modules}
  WORKING_DIRECTORY ${web}
  DEPENDS ${web}/package.json ${web}/package-lock.json ${web}/.npmrc
  COMMENT "Fetching the packages that the pages are built with"
  VERBATIM)
add_custom_command(
  OUTPUT ${web_source}
  COMMAND ${NODE} ${web}/build.mjs --out ${CMAKE_BINARY_DIR}/web --cpp ${web_source}
  DEPENDS ${web_sources} ${web}/build.mjs ${web_modules}
  COMMENT "Bundling the pages"
  VERBATIM)
add_library(usher_web STATIC ${web_source} ${web}/pages.cpp)
target_include_directories(usher_web PUBLIC ${CMAKE_SOURCE_DIR})
usher_strict(usher_web)
# a file of the pages is a string literal beyond the 65,536 characters that a compiler has to take
set_source_files_properties(${web_source} PROPERTIES COMPILE_OPTIONS "-Wno-overlength-strings")

usher_tests(usher_web_tests FOLDERS tests/server/web LINKS usher_web)
