/// The calls of a person about themselves, and those of operators about messages that did not arrive.

#include "server/api/api.hpp"
#include "server/notify/contacts.hpp"
#include "server/notify/courier.hpp"

namespace usher::server::api {
namespace {

void write_user(json::Writer& json, UserNumber user) {
  char text[16];
  for (unsigned i = 0; i < 16; ++i) text[i] = "0123456789abcdef"[(to_value(user) >> (60U - 4U * i)) & 15U];
  json.key("user_id");
  json.plain_string({text, 16});
}

/// What is kept about a person outside of the log.
void write_person(json::Writer& json, wal::OpenedLog& log, UserNumber user, const std::vector<Reply>& bookings) {
  const std::vector<std::string> rows = notify::person_rows(log, user);
  const auto value_of = [&](char kind) {
    for (const std::string& key : rows) {
      if (key[0] != kind) continue;
      const auto value = log.side_row(key);
      if (value && value.value()) return *value.value();
    }
    return std::string{};
  };
  std::string issuer;
  std::string subject;
  if (read_person(value_of('k'), value_of('p'), issuer, subject)) {
    json.field("issuer", issuer);
    json.field("subject", subject);
  }
  json.key("contacts");
  json.begin_array();
  for (const Reply& booking : bookings) {
    const notify::Contact contact = notify::read_contact(log, user, booking.show, booking.sequence);
    if (contact.empty()) continue;
    json.begin_object();
    json.field("booking_id", Id{IdKind::booking, booking.show, booking.sequence, booking.id_random});
    if (!contact.email.empty()) json.field("email", contact.email);
    if (!contact.phone.empty()) json.field("phone", contact.phone);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

struct Api::ExportRun {
  ReplyTo to;
  UserNumber user = UserNumber::none;
  std::vector<Reply> bookings;
  std::size_t loops_left = 0;
};

void Api::export_me(const Call& call) {
  Caller caller;
  if (!authenticate(call, Role::customer, false, caller)) return;
  auto run = std::make_shared<ExportRun>();
  run->to = call.request.reply_to;
  run->user = caller.user;
  run->loops_left = app_.engine.loop_count();
  ++tasks_waiting_;
  for (std::size_t at = 0; at < app_.engine.loop_count(); ++at) {
    engine::AgentRunner& other = app_.engine.runner(at);
    other.post([this, run, &other] {
      auto part = std::make_shared<std::vector<Reply>>();
      for (const engine::Shard* shard : other.shards()) shard->bookings_of(run->user, *part);
      other.after_durable([this, run, part] {
        runner_.post([this, run, part] {
          run->bookings.insert(run->bookings.end(), part->begin(), part->end());
          if (--run->loops_left > 0) return;
          --tasks_waiting_;
          answer_export(run);
        });
      });
    });
  }
}

void Api::answer_export(const std::shared_ptr<ExportRun>& run) {
  metrics_.count_request(static_cast<std::size_t>(Route::export_me), 200);
  write_in_pool(run->to, http::content_type::json,
                [&log = app_.log, run](const AnswerWriter& writer, json::TextBuffer& text) {
                  json::Writer json(text);
                  json.begin_object();
                  write_user(json, run->user);
                  write_person(json, log, run->user, run->bookings);
                  json.key("bookings");
                  json.begin_array();
                  for (const Reply& booking : run->bookings) {
                    const std::optional<ShowRef> show = writer.view.find(booking.show);
                    if (show && show->layout != nullptr) write_booking(json, booking, *show, writer.tickets);
                  }
                  json.end_array();
                  json.end_object();
                });
}

void Api::erase_me(const Call& call) {
  Caller caller;
  if (!authenticate(call, Role::customer, false, caller)) return;
  ++app_.erasures;
  ++tasks_waiting_;
  const auto erase = [this, to = call.request.reply_to](std::vector<std::string> rows) {
    --tasks_waiting_;
    const auto done = [this, to] {
      metrics_.count_request(static_cast<std::size_t>(Route::erase_me), 204);
      send(to, {.status = 204, .content_type = {}, .fields = no_store});
    };
    if (rows.empty()) return done();
    std::vector<SideWrite> erased;
    for (std::string& row : rows) erased.push_back({std::move(row), {}});
    write_side(std::move(erased), done);
  };
  const bool posted = app_.pool.try_post([this, erase, user = caller.user, &log = app_.log] {
    runner_.post([erase, rows = notify::person_rows(log, user)] { erase(rows); });
  });
  if (posted) return;
  --tasks_waiting_;
  respond_overloaded(call);
}

// ---- deliveries ----

void Api::list_deliveries(const Call& call) {
  Caller caller;
  if (!authenticate(call, Role::staff, false, caller)) return;
  http::Query query;
  if (!query.parse(call.request.query)) return respond_problem(call, invalid_parameter("query: malformed"));
  const std::string* state = query.find("state");
  if (!query.first_unknown().empty()) {
    return respond_problem(call, invalid_parameter(std::string(query.first_unknown()) + ": not known here"));
  }
  if (state != nullptr && *state != "dead" && *state != "waiting") {
    return respond_problem(call, invalid_parameter("state: must be dead or waiting"));
  }
  constexpr std::size_t listed_max = 1'000;
  body_.clear();
  json::Writer json(body_);
  json.begin_object();
  json.key("deliveries");
  json.begin_array();
  std::size_t count = 0;
  for (const auto& courier : app_.couriers) {
    for (const notify::Delivery& delivery : courier->list()) {
      if ((state != nullptr && delivery.dead != (*state == "dead")) || count++ >= listed_max) continue;
      json.begin_object();
      json.field("delivery_id", delivery.id);
      json.field("sink", courier->name());
      json.field("kind", delivery.kind);
      json.field("state", delivery.dead ? "dead" : "waiting");
      json.field("attempts", delivery.attempts);
      json.field("next_attempt_at", delivery.due);
      json.field("error", delivery.error);
      json.end_object();
    }
  }
  json.end_array();
  json.field("total", static_cast<std::uint64_t>(count));
  json.end_object();
  respond(call, {.body = body_.view(), .fields = no_store});
}

void Api::retry_delivery(const Call& call) {
  Caller caller;
  if (!authenticate(call, Role::staff, false, caller)) return;
  for (const auto& courier : app_.couriers) {
    if (courier->retry(call.match.parameters[0])) {
      return respond(call, {.status = 202, .body = R"({"status":"waiting"})", .fields = no_store});
    }
  }
  respond_problem(call, {404, "unknown_delivery", std::string(call.match.parameters[0])});
}

}  // namespace usher::server::api
