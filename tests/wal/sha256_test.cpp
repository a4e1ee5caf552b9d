#include "wal/sha256.hpp"

#include <doctest/doctest.h>

namespace usher::wal {

TEST_CASE("sha256: FIPS 180-2's vectors, the context reused: fit") {
  CHECK(short_hex(Sha256::digest("abc")) == "ba7816bf8f01cfea");
  CHECK(short_hex(Sha256::digest("")) == "e3b0c44298fc1c14");
  CHECK(short_hex(Sha256::digest("abc")) == "ba7816bf8f01cfea");
}

}  // namespace usher::wal
