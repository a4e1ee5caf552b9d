/// WebSocket frames from a client: at once or byte by byte, the same events; and binary messages as a relay reads them.

#include <tuple>
#include <vector>

#include "server/ws/frame.hpp"
#include "server/ws/message.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace usher;
using namespace usher::server;

namespace {

using Seen = std::tuple<ws::FrameParser::Kind, std::string, std::uint16_t>;

/// All events, with the input given in pieces of `piece` bytes.
std::vector<Seen> events_of(std::string_view input, std::size_t piece) {
  ws::FrameParser parser(1'000);
  std::vector<Seen> events;
  while (!input.empty()) {
    std::string_view part = input.substr(0, piece);
    input.remove_prefix(part.size());
    while (true) {
      const ws::FrameParser::Event event = parser.next(part);
      USHER_ASSERT(event.used <= part.size());
      part.remove_prefix(event.used);
      if (event.kind == ws::FrameParser::Kind::need_more) break;
      events.emplace_back(event.kind, parser.control(), parser.code());
      if (event.kind == ws::FrameParser::Kind::error || event.kind == ws::FrameParser::Kind::close) return events;
    }
  }
  return events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = fuzz::text_of(data, size);
  if (size == 0) return 0;
  USHER_ASSERT(events_of(input, size) == events_of(input, 1));
  (void)ws::read_binary(input, 200);
  return 0;
}
