/// `GET /shows/{id}/live`: from here on the socket belongs to the feed (server/ws).

#include "server/api/api.hpp"
#include "server/ws/handshake.hpp"

namespace usher::server::api {

void Api::live(const Call& call) {
  const std::optional<ShowRef> show = view().find(call.match.parameters[0]);
  if (!show || show->layout == nullptr) return respond_refusal(call, Refusal::unknown_show, call.match.parameters[0]);
  ws::Wish wish;
  const ws::HandshakeError error = ws::read_wish(call.request, app_.config.feed.allowed_origins, wish);
  if (error.status != 0) {
    return respond_problem(call, {error.status, std::string(error.code), std::string(error.detail)},
                           error.fields.empty() ? no_store : error.fields);
  }
  if (feed_.draining()) return respond_refusal(call, Refusal::draining);
  if (const ws::HandshakeError full = ws::to_error(app_.subscribers.take(call.request.client)); full.status != 0) {
    return respond_problem(call, {full.status, std::string(full.code), std::string(full.detail)});
  }
  std::optional<http::DetachedSocket> socket = call.connection.detach(call.request.reply_to.slot);
  if (!socket) {
    app_.subscribers.give(call.request.client);
    return respond_problem(call, {400, "invalid_handshake", "earlier requests on this connection have no answer yet"});
  }
  metrics_.count_request(static_cast<std::size_t>(call.route), wish.format == ws::Format::events ? 200 : 101);
  feed_.join(
      {to_value(show->row->number), wish.format, wish.from, call.request.client, ws::stream_head(call.request, wish)},
      *std::move(socket));
}

bool Api::work_feed() {
  live_shows_.work(loop_.now_ms());
  return feed_.work(runner_.now());
}

}  // namespace usher::server::api
