#include "wal/crc32c.hpp"

#include <doctest/doctest.h>

#include <string>

namespace usher::wal {

TEST_CASE("crc32c: the check value and RFC 3720's vectors: fit") {
  CHECK(crc32c(0, "123456789") == 0xe3069283U);
  CHECK(crc32c(0, std::string(32, '\0')) == 0x8a9136aaU);
  CHECK(crc32c(0, std::string(32, '\xff')) == 0x62a8ab43U);
  CHECK(crc32c(0, "") == 0U);
}

TEST_CASE("crc32c: every length and every split: instruction, table and parts agree") {
  std::string bytes;
  for (int at = 0; at < 100; ++at) {
    const std::uint32_t whole = crc32c(0, bytes);
    CHECK(whole == crc32c_portable(0, bytes.data(), bytes.size()));
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
      const std::string_view view{bytes};
      REQUIRE(whole == crc32c(crc32c(0, view.substr(0, cut)), view.substr(cut)));
    }
    bytes += static_cast<char>(at * 37);
  }
}

}  // namespace usher::wal
