#pragma once
/// What the fuzzers share. Each `*_fuzz.cpp` defines LLVMFuzzerTestOneInput: libFuzzer drives it (tools/fuzz), and the
/// plain main of replay_main.cpp in the suite. A broken rule is a failed USHER_ASSERT.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "usher/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace usher::fuzz {

/// The input as text in memory of exactly its size, so that one byte read behind it is found.
[[nodiscard]] inline std::string_view text_of(const std::uint8_t* data, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(data), size};
}

/// Cuts the text up to `mark` off `rest`; all of it where there is no mark.
[[nodiscard]] inline std::string_view cut(std::string_view& rest, char mark) noexcept {
  const std::string_view part = rest.substr(0, rest.find(mark));
  rest.remove_prefix(part.size() < rest.size() ? part.size() + 1 : part.size());
  return part;
}

/// Whether `part` lies inside `whole` in memory.
[[nodiscard]] inline bool inside(std::string_view part, std::string_view whole) noexcept {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace usher::fuzz
