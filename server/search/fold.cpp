#include "server/search/fold.hpp"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "usher/assert.hpp"

namespace usher::server::search {
namespace {

/// Letters that no decomposition takes apart, as people without them on their keyboard write them.
[[nodiscard]] std::u16string_view plain_letter(UChar32 c) noexcept {
  switch (c) {
    case 0x00f8:  // o with stroke
      return u"o";
    case 0x00e6:  // ae
      return u"ae";
    case 0x0153:  // oe
      return u"oe";
    case 0x0142:  // l with stroke
      return u"l";
    case 0x0111:  // d with stroke
    case 0x00f0:  // eth
      return u"d";
    case 0x00fe:  // thorn
      return u"th";
    case 0x0131:  // dotless i
      return u"i";
    default:
      return {};
  }
}

[[nodiscard]] bool is_apostrophe(UChar32 c) noexcept {
  return c == '\'' || c == 0x2019 || c == 0x02bc;
}

[[nodiscard]] bool stands_alone(UChar32 c) noexcept {
  return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x9fff) || (c >= 0x20000 && c <= 0x3134f);
}

[[nodiscard]] icu::UnicodeString folded(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* fold = icu::Normalizer2::getNFKCCasefoldInstance(status);
  const icu::Normalizer2* decompose = icu::Normalizer2::getNFDInstance(status);
  USHER_ASSERT(U_SUCCESS(status) && fold != nullptr && decompose != nullptr);
  const auto whole = icu::UnicodeString::fromUTF8({text.data(), static_cast<std::int32_t>(text.size())});
  icu::UnicodeString once = fold->normalize(whole, status);
  return decompose->normalize(once, status);
}

/// Gathers the words of one text.
class WordList {
 public:
  void add(UChar32 c) {
    if (stands_alone(c)) {
      end();
      word_.append(c);
      end();
      return;
    }
    if (const std::u16string_view plain = plain_letter(c); !plain.empty()) {
      word_.append(plain.data(), static_cast<std::int32_t>(plain.size()));
    } else {
      word_.append(c);
    }
  }
  void end() {
    if (word_.isEmpty()) return;
    std::string text;
    word_.toUTF8String(text);
    words_.emplace_back(first_characters(text, word_characters_max));
    word_.remove();
  }
  [[nodiscard]] std::vector<std::string> take() {
    end();
    return std::move(words_);
  }

 private:
  icu::UnicodeString word_;
  std::vector<std::string> words_;
};

}  // namespace

std::vector<std::string> fold_words(std::string_view text) {
  const icu::UnicodeString plain = folded(text);
  WordList words;
  for (std::int32_t at = 0; at < plain.length();) {
    const UChar32 c = plain.char32At(at);
    at += U16_LENGTH(c);
    if (u_charType(c) == U_NON_SPACING_MARK || is_apostrophe(c)) continue;
    if (u_isalnum(c) != 0 || u_charType(c) == U_COMBINING_SPACING_MARK) {
      words.add(c);
    } else {
      words.end();
    }
  }
  return words.take();
}

std::string_view first_characters(std::string_view text, std::size_t characters) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    const bool begins = (static_cast<unsigned char>(text[at]) & 0xc0U) != 0x80U;
    if (begins && characters-- == 0) break;
    ++at;
  }
  return text.substr(0, at);
}

std::size_t count_characters(std::string_view text) noexcept {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0U) != 0x80U ? 1U : 0U;
  return count;
}

}  // namespace usher::server::search
