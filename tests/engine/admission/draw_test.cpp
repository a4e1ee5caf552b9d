#include "engine/admission/draw.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>

using namespace usher::engine;

namespace {

std::string hex(const Hash& hash) {
  std::string text;
  for (const std::uint8_t byte : hash) {
    text += "0123456789abcdef"[byte >> 4U];
    text += "0123456789abcdef"[byte & 15U];
  }
  return text;
}

}  // namespace

TEST_CASE("sha256: the examples of FIPS 180-4, and a million letters in uneven pieces") {
  CHECK(hex(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  Sha256 sum;
  const std::string letters(1'000, 'a');
  std::size_t fed = 0;
  for (std::size_t size = 1; fed < 1'000'000; size = size % 997 + 1) {
    const std::size_t piece = std::min(size, std::size_t{1'000'000} - fed);
    sum.update(std::string_view{letters}.substr(0, piece));
    fed += piece;
  }
  CHECK(hex(sum.finish()) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("sha256: every length around a block: pieces and whole agree") {
  for (std::size_t size = 0; size < 200; ++size) {
    const std::string text(size, 'x');
    Sha256 sum;
    for (std::size_t at = 0; at < size; ++at) sum.update(std::string_view{text}.substr(at, 1));
    CHECK(sum.finish() == sha256(text));
  }
}

TEST_CASE("draw: the same seed: the same order, each once; another beacon, list or secret: another order") {
  const Hash secret = sha256("secret");
  const Hash list = sha256("list");
  const std::vector<std::uint32_t> order = draw_order(seed_of(secret, list, "beacon"), 1'000);
  CHECK(order == draw_order(seed_of(secret, list, "beacon"), 1'000));
  CHECK(order != draw_order(seed_of(secret, list, "beacon 2"), 1'000));
  CHECK(order != draw_order(seed_of(secret, sha256("list 2"), "beacon"), 1'000));
  CHECK(order != draw_order(seed_of(sha256("secret 2"), list, "beacon"), 1'000));
  std::vector<std::uint32_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::uint32_t i = 0; i < 1'000; ++i) CHECK(sorted[i] == i);
  CHECK(draw_order(secret, 0).empty());
  CHECK(draw_order(secret, 1) == std::vector<std::uint32_t>{0});
}

TEST_CASE("draw: 24,000 draws of four: all 24 orders come about equally often") {
  std::map<std::vector<std::uint32_t>, int> seen;
  for (int draw = 0; draw < 24'000; ++draw) ++seen[draw_order(sha256("seed " + std::to_string(draw)), 4)];
  CHECK(seen.size() == 24);
  double chi_squared = 0;
  for (const auto& [order, count] : seen) chi_squared += (count - 1'000.0) * (count - 1'000.0) / 1'000.0;
  CHECK(chi_squared < 60);  // 23 degrees of freedom: exceeded once in 30,000; the seeds are fixed
}

TEST_CASE("draw: the list's hash: order and each entry count") {
  const auto hash_of = [](const std::vector<DrawEntry>& list) {
    ListHash hash;
    for (const DrawEntry& entry : list) hash.add(entry);
    return hash.finish();
  };
  CHECK(hash_of({{1, 2}, {3, 4}}) == hash_of({{1, 2}, {3, 4}}));
  CHECK(hash_of({{1, 2}, {3, 4}}) != hash_of({{3, 4}, {1, 2}}));
  CHECK(hash_of({{1, 2}}) != hash_of({{1, 3}}));
  CHECK(hash_of({}) == sha256("usher list 1"));
}
