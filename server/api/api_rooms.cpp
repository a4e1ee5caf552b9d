/// The calls about waiting rooms: opening, watching, changing, closing; the draw and its proof; the policy of a show.

#include <algorithm>

#include "engine/admission/room_actor.hpp"
#include "server/api/api.hpp"
#include "server/catalog/policy_reader.hpp"
#include "server/catalog/zones.hpp"

namespace usher::server::api {
namespace {

constexpr std::array<std::string_view, 2> order_names{"arrival", "draw"};
constexpr std::array<std::string_view, 3> status_names{"open", "closed", "removed"};
constexpr std::size_t draw_page_default = 1'000;
constexpr std::size_t draw_page_max = 5'000;
constexpr std::size_t beacon_bytes_max = 1'024;

[[nodiscard]] std::string hex(const engine::Hash& hash) {
  std::string text;
  for (const std::uint8_t byte : hash) {
    text += "0123456789abcdef"[byte >> 4U];
    text += "0123456789abcdef"[byte & 15U];
  }
  return text;
}

[[nodiscard]] std::string text_of(const json::TextBuffer& buffer) {
  return std::string(buffer.view());
}

/// A room as its operators see it; the secret of the draw stays out. `name` gives a show's id.
void write_room(json::Writer& json, const engine::Room& room, Instant now) {
  const engine::AdmitInputs inputs = engine::RoomActor::inputs_of(room, engine::facts_of(room, now));
  json.begin_object();
  json.field("room_id", room.settings.id);
  json.key("status");
  json.plain_string(status_names[static_cast<std::size_t>(room.status)]);
  json.key("order");
  json.plain_string(order_names[static_cast<std::size_t>(room.settings.order)]);
  json.field("opens_at", room.settings.opens_at);
  json.field("paused", room.settings.paused);
  json.field("rate_per_minute", room.settings.rate_per_minute);
  json.field("waiting", room.waiting);
  json.field("admitted_now", room.outstanding);
  json.field("admitted", room.admitted_total);
  json.field("finished", room.finished_total);
  json.field("lapsed", room.lapsed_total);
  json.field("left", room.left_total);
  json.field("sold_out", room.sold_out);
  json.field("drawn", room.drawn);
  json.field("free_seats", inputs.free);
  json.field("held_seats", inputs.held);
  json.field("expected_returns", inputs.returns);
  json.field("seats_per_buyer", inputs.seats_per_buyer / 1'000.0);
  json.field("commitment", hex(engine::commitment_of(room.settings.secret)));
  json.field("lsn", room.lsn);
  json.end_object();
}

/// One page of the proof of the draw (engine/admission/draw.hpp).
void write_draw(json::Writer& json, const engine::Room& room, std::uint32_t from, std::uint32_t limit) {
  json.begin_object();
  json.field("room_id", room.settings.id);
  json.field("algorithm", "usher draw 1");
  json.field("commitment", hex(engine::commitment_of(room.settings.secret)));
  json.field("frozen", room.frozen);
  json.field("drawn", room.drawn);
  if (room.frozen) {
    json.field("list_hash", hex(room.list_hash));
    json.field("list_count", room.list_count);
  }
  if (room.drawn) {
    json.field("secret", hex(room.settings.secret));
    json.field("beacon", room.beacon);
  }
  json.key("entries");
  json.begin_array();
  std::uint32_t sequence = from;
  for (std::uint32_t left = limit; left > 0 && sequence < room.list_end; ++sequence) {
    if (!room.in_list(sequence)) continue;
    --left;
    const engine::Place& place = room.places[sequence];
    json.begin_object();
    json.field("queue_id", Id{IdKind::room, static_cast<ShowNumber>(room.number), sequence, place.random});
    if (room.drawn) json.field("place", place.drawn + 1);
    json.end_object();
  }
  json.end_array();
  json.key("next");
  sequence < room.list_end ? json.unsigned_integer(sequence) : json.null();
  json.end_object();
}

[[nodiscard]] bool read_number(http::Query& query, std::string_view name, std::uint32_t max, std::uint32_t& to) {
  const std::string* text = query.find(name);
  if (text == nullptr) return true;
  const bool digits = !text->empty() && text->size() <= 8 && text->find_first_not_of("0123456789") == std::string::npos;
  if (digits) to = static_cast<std::uint32_t>(std::stoul(*text));
  return digits && to <= max;
}

}  // namespace

std::optional<engine::RoomTable::Entry> Api::room_of(const Call& call) {
  auto room = app_.engine.shared().rooms.find(call.match.parameters[0]);
  if (!room) respond_problem(call, {404, "unknown_room", std::string(call.match.parameters[0])});
  return room;
}

void Api::ask_room(const engine::RoomTable::Entry& room, std::function<std::string(const engine::Room&)> read,
                   std::function<void(const std::string&)> answer) {
  engine::AgentRunner& other = app_.engine.runner(app_.engine.loop_of(room.shard));
  ++tasks_waiting_;
  other.post([this, room, read = std::move(read), answer = std::move(answer), &other] {
    const engine::Room* found = other.shard(room.shard)->room(room.number);
    auto text = std::make_shared<const std::string>(found == nullptr ? std::string{} : read(*found));
    other.after_durable([this, text, answer] {
      runner_.post([this, text, answer] {
        --tasks_waiting_;
        answer(*text);
      });
    });
  });
}

// ---- operators ----

bool Api::read_settings(const Call& call, engine::RoomSettings& settings) {
  json::Object root = reader_.parse(call.request.body);
  settings.id = root.string("room_id", {1, limits::external_id_bytes_max});
  json::Array shows = root.array("show_ids", 1, limits::shows_per_room_max);
  while (shows.next()) {
    const std::optional<ShowRef> show = view().find(shows.string({1, limits::external_id_bytes_max}));
    if (!show) shows.fail("no such show");
    if (show) settings.shows.push_back(show->row->number);
  }
  std::sort(settings.shows.begin(), settings.shows.end());
  settings.order = static_cast<engine::QueueOrder>(
      root.optional_one_of("order", order_names).value_or(static_cast<std::size_t>(app_.config.queue.order)));
  settings.opens_at = runner_.now();
  if (const auto opens = root.optional_string("opens_at", {1, 40})) {
    const std::optional<Instant> at = catalog::parse_instant(*opens);
    if (!at) root.fail("opens_at", "must be a time such as 2026-11-24T18:30:00Z");
    settings.opens_at = at.value_or(settings.opens_at);
  }
  settings.admission_ttl = app_.config.queue.admission_ttl;
  catalog::read_duration(root, "admission_ttl", settings.admission_ttl);
  catalog::read_duration(root, "absence_max", settings.absence_max);
  catalog::read_duration(root, "draw_delay", settings.draw_delay);
  settings.rate_per_minute =
      static_cast<std::uint32_t>(root.optional_integer("rate_per_minute", 0, 6'000'000).value_or(0));
  settings.seats_per_buyer = static_cast<std::uint8_t>(
      root.optional_integer("seats_per_buyer", 1, limits::seats_per_request_max).value_or(settings.seats_per_buyer));
  settings.awaits_beacon = root.optional_boolean("awaits_beacon").value_or(false);
  settings.paused = root.optional_boolean("paused").value_or(false);
  if (reader_.ok()) {
    if (const Status status = engine::check_settings(settings); !status) {
      const std::string& detail = status.error().detail;  // "field: rule"
      root.fail(detail.substr(0, detail.find(": ")), detail.substr(detail.find(": ") + 2));
    }
  }
  root.finish();
  Problem problem;
  if (finish_reading(true, problem)) return true;
  respond_problem(call, problem);
  return false;
}

void Api::open_room(const Call& call) {
  Caller caller;
  if (!check_json(call) || !authenticate(call, Role::admin, false, caller)) return;
  engine::RoomSettings settings;
  if (!read_settings(call, settings)) return;
  if (app_.engine.shared().rooms.find(settings.id)) {
    return respond_problem(call, {409, "room_exists", "room_id: there is one of that name"});
  }
  for (const ShowNumber show : settings.shows) {
    if (app_.engine.shared().guards.room_of(show) == 0) continue;
    return respond_problem(call, {409, "show_has_room",
                                  "show_ids: " + std::string(view().find(show)->id) + " has a waiting room already"});
  }
  identity::fill_random(settings.secret.data(), settings.secret.size());
  ++tasks_waiting_;
  app_.engine.open_room(settings, [this, to = call.request.reply_to, id = settings.id,
                                   secret = settings.secret](const engine::Engine::RoomOpened& opened) {
    runner_.post([this, to, id, secret, opened] {
      --tasks_waiting_;
      if (opened.number == 0) {
        metrics_.count_request(static_cast<std::size_t>(Route::open_room), 409);
        return respond_problem(to, {409, "room_exists", "room_id: there is one of that name"});
      }
      body_.clear();
      json::Writer json(body_);
      json.begin_object();
      json.field("room_id", id);
      json.field("commitment", hex(engine::commitment_of(secret)));
      json.key("refused_show_ids");
      json.begin_array();
      for (const ShowNumber show : opened.refused) {
        if (const auto known = view().find(show)) json.string(known->id);
      }
      json.end_array();
      json.end_object();
      metrics_.count_request(static_cast<std::size_t>(Route::open_room), 201);
      send(to, {.status = 201, .body = body_.view(), .fields = no_store});
    });
  });
}

void Api::list_rooms(const Call& call) {
  Caller caller;
  if (!authenticate(call, Role::staff, false, caller)) return;
  body_.clear();
  json::Writer json(body_);
  json.begin_object();
  json.key("rooms");
  json.begin_array();
  for (const engine::RoomTable::Entry& room : app_.engine.shared().rooms.list()) json.string(room.id);
  json.end_array();
  json.end_object();
  respond(call, {.body = body_.view(), .fields = no_store});
}

void Api::read_room(const Call& call) {
  Caller caller;
  if (!authenticate(call, Role::staff, false, caller)) return;
  const auto room = room_of(call);
  if (!room) return;
  ask_room(
      *room,
      [now = runner_.now()](const engine::Room& found) {
        json::TextBuffer text;
        json::Writer json(text);
        write_room(json, found, now);
        return text_of(text);
      },
      [this, to = call.request.reply_to](const std::string& body) {
        metrics_.count_request(static_cast<std::size_t>(Route::read_room), 200);
        send(to, {.body = body, .fields = no_store});
      });
}

void Api::answer_changed(const ReplyTo& to, Route route, bool changed, const Problem& otherwise,
                         const std::string& body) {
  --tasks_waiting_;
  metrics_.count_request(static_cast<std::size_t>(route), changed ? 200U : otherwise.status);
  if (!changed) return respond_problem(to, otherwise);
  send(to, {.body = body, .fields = no_store});
}

void Api::change_room(const Call& call) {
  Caller caller;
  if (!check_json(call) || !authenticate(call, Role::admin, false, caller)) return;
  const auto room = room_of(call);
  if (!room) return;
  json::Object root = reader_.parse(call.request.body);
  const auto rate = root.optional_integer("rate_per_minute", 0, 6'000'000);
  const auto paused = root.optional_boolean("paused");
  std::optional<Instant> opens_at;
  if (const auto text = root.optional_string("opens_at", {1, 40})) {
    opens_at = catalog::parse_instant(*text);
    if (!opens_at) root.fail("opens_at", "must be a time such as 2026-11-24T18:30:00Z");
  }
  root.finish();
  if (Problem problem; !finish_reading(true, problem)) return respond_problem(call, problem);
  ++tasks_waiting_;
  app_.engine.change_room(
      room->number,
      [rate, paused, opens_at](engine::RoomSettings& settings) {
        if (rate) settings.rate_per_minute = static_cast<std::uint32_t>(*rate);
        settings.paused = paused.value_or(settings.paused);
        settings.opens_at = opens_at.value_or(settings.opens_at);
      },
      [this, to = call.request.reply_to, id = room->id](bool changed) {
        runner_.post([this, to, id, changed] {
          answer_changed(to, Route::change_room, changed, {409, "room_closed", id}, R"({"changed":true})");
        });
      });
}

void Api::close_room(const Call& call) {
  Caller caller;
  if (!authenticate(call, Role::admin, false, caller)) return;
  const auto room = room_of(call);
  if (!room) return;
  ++tasks_waiting_;
  app_.engine.close_room(room->number, [this, to = call.request.reply_to, id = room->id](bool closed) {
    runner_.post([this, to, id, closed] {
      answer_changed(to, Route::close_room, closed, {404, "unknown_room", id}, R"({"status":"closed"})");
    });
  });
}

void Api::hold_draw(const Call& call) {
  Caller caller;
  if (!check_json(call) || !authenticate(call, Role::admin, false, caller)) return;
  const auto room = room_of(call);
  if (!room) return;
  json::Object root = reader_.parse(call.request.body);
  const std::string beacon(root.optional_string("beacon", {0, beacon_bytes_max}).value_or(std::string_view{}));
  root.finish();
  if (Problem problem; !finish_reading(true, problem)) return respond_problem(call, problem);
  ++tasks_waiting_;
  app_.engine.draw_room(room->number, beacon, [this, to = call.request.reply_to](bool drawn) {
    runner_.post([this, to, drawn] {
      answer_changed(to, Route::hold_draw, drawn, {409, "nothing_to_draw", "the list is not frozen, or drawn already"},
                     R"({"drawn":true})");
    });
  });
}

void Api::change_policy(const Call& call) {
  Caller caller;
  if (!check_json(call) || !authenticate(call, Role::admin, false, caller)) return;
  const std::optional<ShowRef> show = view().find(call.match.parameters[0]);
  if (!show || show->layout == nullptr) return respond_refusal(call, Refusal::unknown_show, call.match.parameters[0]);
  engine::AgentRunner& other = app_.engine.runner(app_.engine.loop_of(show->row->shard));
  ++tasks_waiting_;
  other.post([this, &other, shard = show->row->shard, number = show->row->number, to = call.request.reply_to,
              body = std::string(call.request.body)] {
    const auto seats = other.shard(shard)->view(number);
    const Policy before = seats ? seats->terms->policy : Policy{};
    runner_.post([this, to, number, before, body] { apply_policy(to, number, before, body); });
  });
}

void Api::apply_policy(const ReplyTo& to, ShowNumber show, const Policy& before, const std::string& body) {
  Policy policy = before;
  json::Object root = reader_.parse_copy(body);
  catalog::read_policy(root, policy);
  const bool timed = policy.reservation_ttl != before.reservation_ttl || policy.payment_grace != before.payment_grace;
  if (timed) root.fail("reservation_ttl", "and payment_grace stay what they were when the show was opened");
  Problem problem;
  if (!finish_reading(true, problem)) return answer_changed(to, Route::change_policy, false, problem, {});
  app_.engine.change_policy(show, policy, [this, to](bool changed) {
    runner_.post([this, to, changed] {
      answer_changed(to, Route::change_policy, changed, {409, "policy_unchanged", "the show cannot take it"},
                     R"({"changed":true})");
    });
  });
}

// ---- the draw ----

void Api::read_draw(const Call& call) {
  const auto room = room_of(call);
  if (!room) return;
  http::Query query;
  std::uint32_t from = 0;
  std::uint32_t limit = draw_page_default;
  if (!query.parse(call.request.query)) return respond_problem(call, invalid_parameter("query: malformed"));
  if (!read_number(query, "from", limits::places_per_room_max, from)) {
    return respond_problem(call, invalid_parameter("from: must be what `next` of the page before said"));
  }
  if (!read_number(query, "limit", draw_page_max, limit) || limit == 0) {
    return respond_problem(call, invalid_parameter("limit: must be a whole number from 1 to 5000"));
  }
  if (!query.first_unknown().empty()) {
    return respond_problem(call, invalid_parameter(std::string(query.first_unknown()) + ": not known here"));
  }
  ask_room(
      *room,
      [from, limit](const engine::Room& found) {
        json::TextBuffer text;
        json::Writer json(text);
        write_draw(json, found, from, limit);
        return text_of(text);
      },
      [this, to = call.request.reply_to](const std::string& body) {
        metrics_.count_request(static_cast<std::size_t>(Route::read_draw), 200);
        send(to, {.body = body, .fields = "Cache-Control: public, max-age=0, s-maxage=1\r\n"});
      });
}

}  // namespace usher::server::api
