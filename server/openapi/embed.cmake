# Turns a text file into a C++ source that defines `std::string_view NAMESPACE::FUNCTION() noexcept`.
# Call: cmake -DINPUT=file -DOUTPUT=file.cpp -DHEADER=header -DNAMESPACE=a::b -DFUNCTION=f -P embed.cmake
file(READ "${INPUT}" content)
file(
  WRITE "${OUTPUT}"
  "#include \"${HEADER}\"\n\nnamespace ${NAMESPACE} {\n\nstd::string_view ${FUNCTION}() noexcept {\n  static constexpr char text[] = R\"usher_embed(${content})usher_embed\";\n  return {text, sizeof text - 1};\n}\n\n}  // namespace ${NAMESPACE}\n"
)
