#pragma once
/// Folding: what people type and what a catalog says, brought to one form so that "Amelie" finds "Amélie" and "STRASSE"
/// finds "Straße". Pure functions; any thread. The result is for comparing, never for showing.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace usher::server::search {

/// Words longer than this are cut: a term of Xapian has at most 245 bytes, and nobody types more of one word.
inline constexpr std::size_t word_characters_max = 40;

/// Splits text into folded words: NFKC case folding (Unicode 3.13, UAX 15), marks removed, letters that have no
/// decomposition spelled out (o for an o with a stroke, ae for the ligature). Apostrophes within a word go
/// ("schindlers"); each Han or Kana character is a word of its own. Malformed UTF-8 counts as U+FFFD, which separates
/// words.
[[nodiscard]] std::vector<std::string> fold_words(std::string_view text);

/// The first `characters` code points of a UTF-8 text. Returns: all of it when it has no more.
[[nodiscard]] std::string_view first_characters(std::string_view text, std::size_t characters) noexcept;
[[nodiscard]] std::size_t count_characters(std::string_view text) noexcept;

}  // namespace usher::server::search
