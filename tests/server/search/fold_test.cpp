#include "server/search/fold.hpp"

#include <doctest/doctest.h>

using namespace usher::server::search;

namespace {
using Words = std::vector<std::string>;
}

TEST_CASE("fold_words: case, accents and ligatures: one form") {
  CHECK(fold_words("Amélie") == Words{"amelie"});
  CHECK(fold_words("STRASSE straße") == Words{"strasse", "strasse"});
  CHECK(fold_words("Rødby Łódź Æon œuvre") == Words{"rodby", "lodz", "aeon", "oeuvre"});
  CHECK(fold_words("ＦＵＬＬ width ﬁnal") == Words{"full", "width", "final"});
}

TEST_CASE("fold_words: punctuation and apostrophes: words as people type them") {
  CHECK(fold_words("Schindler's List") == Words{"schindlers", "list"});
  CHECK(fold_words("Spider-Man: No Way Home (2021)") == Words{"spider", "man", "no", "way", "home", "2021"});
  CHECK(fold_words("  --- ... !!") == Words{});
  CHECK(fold_words("") == Words{});
}

TEST_CASE("fold_words: other scripts: kept, Han and Kana by character") {
  CHECK(fold_words("千と千尋") == Words{"千", "と", "千", "尋"});
  CHECK(fold_words("Солярис") == Words{"солярис"});
  CHECK(fold_words("\u202eמשחק") == Words{"משחק"});
}

TEST_CASE("fold_words: malformed UTF-8, emoji, markup: nothing but words comes out") {
  CHECK(fold_words("a\xff\xfe\x80z") == Words{"a", "z"});
  CHECK(fold_words("<script>alert(1)</script>") == Words{"script", "alert", "1", "script"});
  CHECK(fold_words("🍿 popcorn 🎬") == Words{"popcorn"});
}

TEST_CASE("fold_words: a very long word: cut at the limit") {
  CHECK(fold_words(std::string(5000, 'a')) == Words{std::string(word_characters_max, 'a')});
}

TEST_CASE("first_characters: code points, not bytes") {
  CHECK(first_characters("шлюз", 2) == "шл");
  CHECK(first_characters("ab", 5) == "ab");
  CHECK(count_characters("шлюз") == 4);
}
