#include "server/catalog/words.hpp"

#include <algorithm>

namespace usher::server::catalog {
namespace {

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool is_letter(char c) noexcept {
  const char l = lower(c);
  return (l >= 'a' && l <= 'z') || (l >= '0' && l <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

/// Does a word of `text` begin with `prefix`? Allocates nothing.
bool has_word(std::string_view text, std::string_view prefix) noexcept {
  for (std::size_t at = 0; at + prefix.size() <= text.size(); ++at) {
    const bool begins_word = at == 0 || !is_letter(text[at - 1]);
    if (!begins_word) continue;
    if (std::equal(prefix.begin(), prefix.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
                   [](char wanted, char c) { return wanted == lower(c); })) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  bool in_word = false;
  for (const char c : text) {
    if (is_letter(c)) {
      if (!in_word) words.emplace_back();
      words.back() += lower(c);
    }
    in_word = is_letter(c);
  }
  return words;
}

bool has_words(const engine::Movie& movie, const std::vector<std::string>& prefixes) {
  const auto any_has = [](const std::vector<std::string>& texts, std::string_view prefix) {
    return std::any_of(texts.begin(), texts.end(), [&](const std::string& text) { return has_word(text, prefix); });
  };
  return std::all_of(prefixes.begin(), prefixes.end(), [&](const std::string& prefix) {
    return has_word(movie.title, prefix) || any_has(movie.cast, prefix) || any_has(movie.keywords, prefix);
  });
}

}  // namespace usher::server::catalog
