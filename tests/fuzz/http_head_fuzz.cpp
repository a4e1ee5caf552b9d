/// Request heads as the framing guard takes them, and what is read of their fields: target, query, addresses, cookies,
/// WebSocket handshake.

#include "server/http/address.hpp"
#include "server/http/head.hpp"
#include "server/http/router.hpp"
#include "server/identity/idempotency.hpp"
#include "server/identity/jwt.hpp"
#include "server/identity/session.hpp"
#include "server/ws/handshake.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace usher;
using namespace usher::server;

namespace {

http::Router make_router() {
  http::Router router;
  router.add(http::Method::get, "/shows/{id}/seats", 1);
  router.add(http::Method::get, "/bookings/{id}/tickets/{tid}.svg", 2);
  router.add(http::Method::delete_, "/reservations/{id}", 3);
  return router;
}

void read_fields(const http::RequestHead& head) {
  static const http::Router router = make_router();
  const http::RouteMatch match = router.match(head.method, head.path);
  for (std::size_t i = 0; i < match.parameter_count; ++i) USHER_ASSERT(fuzz::inside(match.parameters[i], head.path));
  std::string decoded;
  (void)http::percent_decode(head.path, decoded);
  http::Query query;
  if (query.parse(head.query)) query.for_each([](const std::string& name, const std::string&) { (void)name.size(); });
  http::Networks trusted;
  USHER_ASSERT(trusted.add("10.0.0.0/8"));
  const http::ClientAddress peer = *http::parse_address("10.1.2.3");
  (void)http::to_string(http::forwarded_address(peer, head.forwarded, head.x_forwarded_for, trusted));
  (void)identity::find_cookie(head.cookie, identity::session_cookie_name);
  (void)identity::bearer_token(head.authorization);
  (void)identity::is_idempotency_key(head.idempotency_key);
  ws::Wish wish;
  const std::string origins[] = {"https://tickets.example"};
  if (ws::read_wish(head, origins, wish).status == 0 && ws::is_websocket_key(head.sec_websocket_key))
    (void)ws::accept_key(head.sec_websocket_key);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = fuzz::text_of(data, size);
  const http::HeadLimits limits{2'048, 512, 20};
  http::RequestHead head;
  const http::HeadResult result = http::parse_head(input, limits, head);
  if (result.status == http::ParseStatus::error) {
    USHER_ASSERT(http::describe(result.error).status >= 400);
    return 0;
  }
  if (result.status == http::ParseStatus::need_more) return 0;
  USHER_ASSERT(result.size <= size && result.size <= limits.head_bytes_max);
  USHER_ASSERT(fuzz::inside(head.fields, input) && fuzz::inside(head.host, input));
  USHER_ASSERT(!(head.chunked && head.content_length != 0));
  // what follows does not matter, and every shorter piece has to wait
  http::RequestHead again;
  const http::HeadResult alone = http::parse_head(input.substr(0, result.size), limits, again);
  USHER_ASSERT(alone.status == http::ParseStatus::complete && alone.size == result.size);
  USHER_ASSERT(again.target == head.target && again.content_length == head.content_length);
  const http::HeadResult cut = http::parse_head(input.substr(0, result.size - 1), limits, again);
  USHER_ASSERT(cut.status == http::ParseStatus::need_more);
  read_fields(head);
  return 0;
}
