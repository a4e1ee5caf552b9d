#include "server/http/chunked.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace usher::server::http;

ChunkedDecoder::Progress decode(std::string_view bytes, std::size_t body_max = 1'000, std::string* body = nullptr) {
  ChunkedDecoder decoder(body_max);
  const auto progress = decoder.decode(bytes);
  if (body != nullptr) *body = decoder.body();
  return progress;
}

TEST_CASE("chunked: two chunks, an extension and a trailer: the body alone is left") {
  const std::string bytes = "4;a=\"b\"\r\nwiki\r\n05\r\npedia\r\n0\r\nX: y\r\nZ: 1\r\n\r\nGET";
  std::string body;
  const auto progress = decode(bytes, 1'000, &body);
  CHECK(progress.status == ParseStatus::complete);
  CHECK(body == "wikipedia");
  CHECK(progress.used == bytes.size() - 3);
}

TEST_CASE("chunked: fed byte by byte: the same") {
  const std::string bytes = "4\r\nwiki\r\nA\r\n0123456789\r\n0\r\n\r\n";
  ChunkedDecoder decoder(1'000);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto progress = decoder.decode(std::string_view{bytes}.substr(i, 1));
    CHECK(progress.used == 1);
    CHECK((progress.status == ParseStatus::complete) == (i + 1 == bytes.size()));
  }
  CHECK(decoder.body() == "wiki0123456789");
}

TEST_CASE("chunked: malformed: refused at once") {
  for (const char* bytes :
       {"\r\n", "x\r\n", "-1\r\n", "0x1\r\n", "4 \r\nwiki", "4\nwiki", "4\r\nwikiX", "4\r\nwiki\rX", "4\r\nwiki\n",
        "4;a\nwiki", "0\r\n X: y\r\n\r\n", "0\r\nX: y\n\r\n", "0\r\n\rX", ";a\r\n"}) {
    CHECK_MESSAGE(decode(bytes).error == ParseError::bad_chunk, bytes);
  }
}

TEST_CASE("chunked: body limit at -1, 0, +1") {
  CHECK(decode("9\r\n012345678\r\n0\r\n\r\n", 10).status == ParseStatus::complete);
  CHECK(decode("A\r\n0123456789\r\n0\r\n\r\n", 10).status == ParseStatus::complete);
  CHECK(decode("B\r\n", 10).error == ParseError::body_too_large);
  CHECK(decode("5\r\n01234\r\n6\r\n", 10).error == ParseError::body_too_large);
  CHECK(decode("fffffffffffffffffffff\r\n", 10).error == ParseError::body_too_large);
}

TEST_CASE("chunked: extensions and trailers are bounded") {
  const auto repeat = [](std::size_t size) { return std::string(size, 'a'); };
  CHECK(decode("1;" + repeat(ChunkedDecoder::extension_bytes_max) + "\r\n").error == ParseError::none);
  CHECK(decode("1;" + repeat(ChunkedDecoder::extension_bytes_max + 1)).error == ParseError::chunk_extension_too_long);
  std::string many;
  for (std::size_t i = 0; i < 100; ++i) many += "1;" + repeat(50) + "\r\nx\r\n";
  CHECK(decode(many).error == ParseError::chunk_extension_too_long);
  CHECK(decode("0\r\n" + repeat(ChunkedDecoder::trailer_bytes_max)).error == ParseError::none);
  CHECK(decode("0\r\n" + repeat(ChunkedDecoder::trailer_bytes_max + 1)).error == ParseError::trailer_too_large);
}

}  // namespace
