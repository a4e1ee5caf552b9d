#include "server/api/problem.hpp"

#include <array>
#include <utility>

#include "usher/refusal.hpp"

namespace usher::server::api {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 41> titles{{
    {"malformed_json", "The body is not JSON"},
    {"invalid_request", "The body breaks a rule"},
    {"invalid_parameter", "A parameter breaks a rule"},
    {"missing_parameter", "A parameter is missing"},
    {"unsupported_media_type", "The body is of a type that this call does not take"},
    {"body_too_large", "The body is too large"},
    {"invalid_idempotency_key", "The Idempotency-Key breaks a rule"},
    {"unauthorized", "Say who you are"},
    {"invalid_token", "The token is not valid"},
    {"token_expired", "The token has expired"},
    {"forbidden", "Your role may not do this"},
    {"not_found", "There is nothing here"},
    {"method_not_allowed", "This path does not know that method"},
    {"unknown_show", "No such show"},
    {"unknown_movie", "No such movie"},
    {"unknown_theater", "No such theater"},
    {"unknown_city", "No such city"},
    {"invalid_catalog", "The catalog document is refused"},
    {"unknown_room", "No such waiting room"},
    {"room_exists", "There is a waiting room of that name"},
    {"show_has_room", "The show has a waiting room already"},
    {"nothing_to_draw", "There is no draw to hold"},
    {"policy_unchanged", "The policy was not changed"},
    {"import_running", "Another import is running"},
    {"precondition_failed", "It is not in the state that you expect"},
    {"not_ready", "The server is not ready yet"},
    {"unknown_ticket", "No such ticket"},
    {"unknown_ticket_key", "No such key"},
    {"key_refused", "The keys were not changed"},
    {"unknown_gate", "No such gate"},
    {"too_many_gates", "No room for another gate"},
    {"log_trimmed", "The log no longer reaches back so far"},
    {"unknown_delivery", "No such delivery"},
    {"internal_error", "The server could not make this"},
    {"upgrade_required", "This is a stream: open a WebSocket, or ask for server-sent events"},
    {"invalid_handshake", "The WebSocket handshake breaks a rule"},
    {"origin_not_allowed", "Pages of this origin may not open the feed"},
    {"too_many_subscribers", "This address follows too many shows at once"},
    {"feed_full", "The live feed has no room"},
    {"upstream_lost", "The relay has lost its source"},
    {"overloaded", "The server has more work than it can queue"},
}};

}  // namespace

std::string_view title_of(std::string_view code) noexcept {
  for (const auto& [known, title] : titles) {
    if (known == code) return title;
  }
  for (const RefusalInfo& info : refusal_table) {
    if (info.code == code) return info.title;
  }
  return "Refused";
}

}  // namespace usher::server::api
