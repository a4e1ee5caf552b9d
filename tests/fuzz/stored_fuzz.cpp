/// Payloads of events and checkpoints that the engine reads: layouts, terms, room settings, catalog entries. What is
/// accepted is written again as the same bytes. The first byte picks which.

#include <variant>

#include "engine/admission/room_settings.hpp"
#include "engine/catalog/entities.hpp"
#include "engine/catalog/layout.hpp"
#include "engine/catalog/show_terms.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace usher;
using namespace usher::engine;

namespace {

std::string_view view(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest = fuzz::text_of(data + 1, size - 1);
  Bytes again;
  switch (data[0]) {
    case 'L':
      if (const auto layout = Layout::decode(rest)) {
        layout.value().encode(again);
        USHER_ASSERT(view(again) == rest);
      }
      break;
    case 'T':
      if (const auto terms = decode_terms(rest)) {
        encode(terms.value(), again);
        const auto other = decode_terms(view(again));
        USHER_ASSERT(other.ok() && other.value() == terms.value());
      }
      break;
    case 'R':
      if (const auto settings = decode_settings(rest)) {
        encode(settings.value(), again);
        const auto other = decode_settings(view(again));
        USHER_ASSERT(other.ok() && other.value() == settings.value());
      }
      break;
    case 'E': {
      ByteReader reader{rest};
      const auto entity = read_entry(reader);
      if (!entity) break;
      encode_entry(entity.value(), again);
      ByteReader other{again};
      const auto second = read_entry(other);
      USHER_ASSERT(second.ok() && second.value() == entity.value());
      break;
    }
    default:
      break;
  }
  return 0;
}
