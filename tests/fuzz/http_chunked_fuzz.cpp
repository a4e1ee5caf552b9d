/// Chunked bodies: whole or byte by byte, the same comes out.

#include "server/http/chunked.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace usher;
using namespace usher::server;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = fuzz::text_of(data, size);
  http::ChunkedDecoder whole(1'000);
  const http::ChunkedDecoder::Progress end = whole.decode(input);
  USHER_ASSERT(end.used <= size && whole.body().size() <= 1'000);
  http::ChunkedDecoder slow(1'000);
  http::ChunkedDecoder::Progress step;
  std::size_t used = 0;
  for (std::size_t i = 0; i < size && step.status == http::ParseStatus::need_more; ++i) {
    step = slow.decode(input.substr(i, 1));
    used += step.used;
  }
  USHER_ASSERT(step.status == end.status && step.error == end.error);
  if (end.status == http::ParseStatus::complete) USHER_ASSERT(used == end.used && slow.body() == whole.body());
  return 0;
}
