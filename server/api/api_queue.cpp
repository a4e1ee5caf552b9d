/// The calls of those who wait: places in a waiting room's queue, the waiting list of a show, admissions.

#include <algorithm>
#include <array>

#include "engine/admission/room.hpp"
#include "server/api/api.hpp"

namespace usher::server::api {
namespace {

constexpr std::array<std::string_view, 6> state_names{"waiting", "admitted", "sold_out", "closed", "closed", "closed"};
constexpr std::array<std::string_view, 4> end_names{"room_closed", "gave_up", "absent", "lapsed"};

/// When to ask again: often near the head, seldom far behind, and always within the time that a place outlives without
/// a poll.
[[nodiscard]] std::int64_t refresh_after_ms(const Reply& reply) noexcept {
  constexpr std::int64_t least = 1'000;
  constexpr std::int64_t most = 30'000;
  const QueuePlace& queue = reply.queue;
  if (queue.state != PlaceState::waiting) return most;
  const std::int64_t until_open = (reply.retry_at - reply.now).count();
  if (until_open > 0) return std::clamp(until_open, least, most);
  if (!queue.drawn) return least;
  const std::int64_t wait_ms = queue.low_s > 0 ? std::int64_t{queue.low_s} * 250 : std::int64_t{queue.ahead} * 20;
  return std::clamp(wait_ms, least, most);
}

[[nodiscard]] std::string_view reason_of(const QueuePlace& queue) noexcept {
  if (queue.state == PlaceState::finished) return "finished";
  return end_names[queue.end < end_names.size() ? queue.end : 0];
}

}  // namespace

void Api::show_admission(std::string_view token, Command& command) const {
  if (const auto admission = app_.admissions.verify(token, command.user)) command.admission = *admission;
}

void Api::join_queue(const Call& call) {
  Caller caller;
  if (!authenticate(call, Role::customer, true, caller)) return;
  const std::optional<ShowRef> show = view().find(call.match.parameters[0]);
  if (!show) return respond_refusal(call, Refusal::unknown_show, call.match.parameters[0]);
  const std::uint32_t number = app_.engine.shared().guards.room_of(show->row->number);
  const auto room = app_.engine.shared().rooms.find(number);
  if (number == 0 || !room) return respond_refusal(call, Refusal::no_waiting_room, call.match.parameters[0]);
  Command command;
  command.type = CommandType::join_queue;
  command.user = caller.user;
  command.random = random_.next();
  command.admission.room = number;
  people_.note(caller.user, app_.config.identity.issuer, caller.subject, runner_.lane());
  submit(call, command, room->shard);
}

void Api::place(const Call& call, CommandType type) {
  Caller caller;
  if (!authenticate(call, Role::customer, false, caller)) return;
  const std::optional<Id> id = parse_id(call.match.parameters[0], IdKind::room);
  const auto room = app_.engine.shared().rooms.find(id ? to_value(id->show) : 0U);
  if (!id || !room) return respond_refusal(call, Refusal::unknown_place, call.match.parameters[0]);
  Command command;
  command.type = type;
  command.user = caller.user;
  command.staff = caller.is_staff();
  command.sequence = id->sequence;
  command.id_random = id->random;
  command.admission.room = room->number;
  submit(call, command, room->shard);
}

void Api::write_place(json::Writer& json, const Reply& reply) {
  const QueuePlace& queue = reply.queue;
  const auto room = app_.engine.shared().rooms.find(queue.room);
  const bool waits = queue.state == PlaceState::waiting || queue.state == PlaceState::sold_out;
  json.begin_object();
  json.field("queue_id", Id{IdKind::room, static_cast<ShowNumber>(queue.room), reply.sequence, reply.id_random});
  json.field("room_id", room ? std::string_view{room->id} : std::string_view{});
  json.field("state", state_names[static_cast<std::size_t>(queue.state)]);
  if (queue.state >= PlaceState::closed) json.field("reason", reason_of(queue));
  if (waits && queue.drawn) {
    json.field("position", queue.ahead + 1);
    json.field("people_ahead", queue.ahead);
  }
  json.field("people_waiting", queue.waiting);
  if (queue.draw_place != engine::Line::none) json.field("draw_place", queue.draw_place + 1);
  if (queue.state == PlaceState::waiting && queue.high_s > 0) {
    json.key("estimate");
    json.begin_object();
    json.field("from_s", queue.low_s);
    json.field("to_s", queue.high_s);
    json.end_object();
  }
  if (queue.state == PlaceState::admitted) {
    json.key("admission");
    json.begin_object();
    json.field("token",
               app_.admissions.sign({queue.room, reply.sequence, queue.attempt, reply.expires_at}, reply.user));
    json.field("expires_at", reply.expires_at);
    json.field("expires_in_ms", std::max<std::int64_t>((reply.expires_at - reply.now).count(), 0));
    json.end_object();
  }
  json.field("refresh_after_ms", refresh_after_ms(reply));
  json.field("opens_at", reply.retry_at);
  json.field("joined_at", reply.reserved_at);
  json.field("server_time", reply.now);
  json.field("lsn", reply.lsn);
  json.end_object();
}

// ---- waiting list ----

void Api::waitlist(const Call& call, CommandType type) {
  Caller caller;
  const bool joins = type == CommandType::join_waitlist;
  if (joins && !check_json(call)) return;
  if (!authenticate(call, Role::customer, joins, caller)) return;
  const std::optional<ShowRef> show = view().find(call.match.parameters[0]);
  if (!show || show->layout == nullptr) return respond_refusal(call, Refusal::unknown_show, call.match.parameters[0]);
  Command command;
  command.type = type;
  command.show = show->row->number;
  command.user = caller.user;
  if (joins) {
    json::Object root = reader_.parse(call.request.body);
    command.seat_count = static_cast<std::uint8_t>(root.integer("count", 1, limits::seats_per_request_max));
    const auto seat_type = root.optional_one_of("type", engine::seat_type_names);
    if (seat_type) command.seat_type = static_cast<std::uint8_t>(*seat_type);
    root.finish();
    if (Problem problem; !finish_reading(true, problem)) return respond_problem(call, problem);
    command.random = random_.next();
    people_.note(caller.user, app_.config.identity.issuer, caller.subject, runner_.lane());
  }
  submit(call, command, show->row->shard);
}

void Api::write_party(json::Writer& json, const Reply& reply, const ShowRef& show) {
  const bool served = reply.queue.state == PlaceState::admitted;
  json.begin_object();
  json.field("show_id", show.id);
  json.field("state", served ? "reserved" : "waiting");
  json.field("count", std::uint32_t{reply.seat_count});
  if (served) {
    json.key("reservation");
    write_reservation(json, reply, show);
  } else {
    json.field("position", reply.queue.ahead + 1);
    json.field("parties_ahead", reply.queue.ahead);
    json.field("parties_waiting", reply.queue.waiting);
    json.field("refresh_after_ms", std::int64_t{10'000});
  }
  json.field("server_time", reply.now);
  json.field("lsn", reply.lsn);
  json.end_object();
}

}  // namespace usher::server::api
