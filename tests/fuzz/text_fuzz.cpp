/// Small texts of clients: ticket codes, cursors, ids, addresses, networks, the PROXY header, percent-encoding,
/// queries, mail addresses. The first byte picks which.

#include "server/catalog/cursor.hpp"
#include "server/events/lsn_cursor.hpp"
#include "server/http/address.hpp"
#include "server/http/router.hpp"
#include "server/notify/contacts.hpp"
#include "server/notify/delivery.hpp"
#include "server/tickets/ticket_code.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace usher;
using namespace usher::server;

namespace {

/// What is read is written again as the same text, so that no ticket has two codes.
void read_ticket(std::string_view text) {
  const auto code = tickets::parse_code(text);
  if (!code) return;
  USHER_ASSERT(code->signature.size() == tickets::signature_bytes);
  USHER_ASSERT(tickets::encode_payload(code->payload) == code->payload_bytes);
  USHER_ASSERT(tickets::format_code(code->payload_bytes, code->signature) == text);
}

void read_cursors(std::string_view text) {
  if (const auto cursor = catalog::read_cursor(text)) {
    const auto again = catalog::read_cursor(catalog::write_cursor(cursor->title, cursor->id));
    USHER_ASSERT(again.has_value() && *again == *cursor);
  }
  if (const auto cursor = events::parse_cursor(text, 3)) {
    const auto again = events::parse_cursor(events::format_cursor(*cursor), 3);
    USHER_ASSERT(again.has_value() && *again == *cursor);
  }
}

void read_address(std::string_view text) {
  if (const auto address = http::parse_address(text)) {
    const auto again = http::parse_address(http::to_string(*address));
    USHER_ASSERT(again.has_value() && *again == *address);
  }
  http::Networks networks;
  if (networks.add(text)) (void)networks.contains(*http::parse_address("192.0.2.1"));
  const http::ProxyHeader proxy = http::parse_proxy_header(text);
  USHER_ASSERT(proxy.status != http::ProxyHeader::Status::complete || proxy.size <= text.size());
}

void read_query(std::string_view text) {
  http::Query query;
  if (query.parse(text)) {
    (void)query.find("date");
    (void)query.first_unknown();
  }
  std::string decoded;
  if (http::percent_decode(text, decoded)) USHER_ASSERT(decoded.size() <= text.size());
  (void)http::percent_decode(text, decoded, true);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view rest = fuzz::text_of(data + 1, size - 1);
  switch (data[0]) {
    case 'T':
      read_ticket(rest);
      if (const auto key = tickets::parse_key(rest)) USHER_ASSERT(tickets::key_text(*key) == rest);
      break;
    case 'C':
      read_cursors(rest);
      break;
    case 'A':
      read_address(rest);
      break;
    case 'Q':
      read_query(rest);
      break;
    case 'E':
      (void)notify::is_email(rest);
      (void)notify::is_phone(rest);
      break;
    case 'D': {
      const std::string key = notify::delivery_row + std::string{fuzz::cut(rest, '\n')};
      const auto delivery = notify::from_row(key, rest);
      if (delivery) USHER_ASSERT(notify::from_row(key, notify::to_row(*delivery).value).has_value());
      break;
    }
    default:
      break;
  }
  return 0;
}
