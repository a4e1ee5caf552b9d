/// The calls about tickets: pictures, PDF and calendar, made on the work pool when somebody asks for them, and the keys
/// that a gate checks with.

#include "server/api/api.hpp"
#include "server/catalog/zones.hpp"
#include "server/tickets/calendar.hpp"
#include "server/tickets/qr_image.hpp"
#include "server/tickets/ticket_pdf.hpp"

namespace usher::server::api {

bool Api::in_pool(const Call& call, std::function<PoolAnswer()> work) {
  ++tasks_waiting_;
  const bool posted =
      app_.pool.try_post([this, to = call.request.reply_to, route = call.route, work = std::move(work)] {
        auto answer = std::make_shared<const PoolAnswer>(work());
        runner_.post([this, to, route, answer] {
          --tasks_waiting_;
          answer_from_pool(to, route, *answer);
        });
      });
  if (!posted) --tasks_waiting_;
  return posted;
}

void Api::answer_from_pool(const ReplyTo& to, Route route, const PoolAnswer& answer) {
  if (answer.problem) {
    metrics_.count_request(static_cast<std::size_t>(route), answer.problem->status);
    return respond_problem(to, *answer.problem);
  }
  metrics_.count_request(static_cast<std::size_t>(route), answer.status);
  const std::string_view fields = answer.fields.empty() ? no_store : std::string_view(answer.fields);
  send(to, {.status = answer.status, .content_type = answer.content_type, .body = answer.body, .fields = fields});
}

void Api::write_in_pool(const ReplyTo& to, std::string_view content_type, WriteText write, std::uint16_t status) {
  const auto make = [&app = app_, view = view_shared(), write = std::move(write), now = runner_.now()] {
    json::TextBuffer text;
    const TicketMaker tickets = app.ticket_maker(now);
    write(AnswerWriter{*view, tickets}, text);
    return text;
  };
  const auto respond_with = [this, to, content_type, status](std::string_view body) {
    send(to, {.status = status, .content_type = content_type, .body = body, .fields = no_store});
  };
  ++tasks_waiting_;
  const bool posted = app_.pool.try_post([this, make, respond_with] {
    runner_.post([this, respond_with, text = std::make_shared<json::TextBuffer>(make())] {
      --tasks_waiting_;
      respond_with(text->view());
    });
  });
  if (posted) return;
  --tasks_waiting_;
  respond_with(make().view());  // what was booked stands: with a full pool its answer costs this loop some microseconds
}

void Api::deliver_tickets(const ReplyTo& to, const Reply& reply, std::uint16_t status) {
  const auto write = [reply](const AnswerWriter& writer, json::TextBuffer& text) {
    json::Writer json(text);
    writer.write(json, reply);
  };
  write_in_pool(to, http::content_type::json, write, status);
}

bool Api::ask(Command& command, std::function<void(const Reply&)> answer) {
  const engine::ShowDirectory::Entry* show = app_.engine.shared().directory.find(command.show);
  if (show == nullptr) return false;
  command.reply = asks_.open(runner_.loop(), std::move(answer));
  command.reply.asked_us = now_us_;
  if (runner_.submit(command, show->shard.load(std::memory_order_relaxed))) return true;
  asks_.close(command.reply);
  return false;
}

namespace {

using tickets::BookingFacts;
using tickets::TicketFacts;

[[nodiscard]] PoolAnswer failed(std::uint16_t status, std::string code, std::string detail) {
  PoolAnswer answer;
  answer.problem = Problem{status, std::move(code), std::move(detail)};
  return answer;
}

[[nodiscard]] PoolAnswer picture_of(const BookingFacts& booking, const TicketFacts& ticket, Route route) {
  PoolAnswer answer;
  if (route == Route::ticket_pdf) {
    Result<std::string> pdf = tickets::tickets_pdf(booking.show, {ticket}, booking.id);
    if (!pdf) return failed(500, "internal_error", pdf.error().detail);
    answer.content_type = "application/pdf";
    answer.body = std::move(pdf).value();
    return answer;
  }
  if (ticket.cancelled) return failed(409, "already_cancelled", "a cancelled ticket opens no gate");
  const bool svg = route == Route::ticket_svg;
  answer.content_type = svg ? "image/svg+xml" : "image/png";
  answer.body = svg ? tickets::qr_svg(ticket.code) : tickets::qr_png(ticket.code);
  return answer;
}

}  // namespace

void Api::booking_file(const Call& call) {
  Caller caller;
  if (!authenticate(call, Role::customer, false, caller)) return;
  const std::optional<Id> id = parse_id(call.match.parameters[0], IdKind::booking);
  if (!id) return respond_refusal(call, Refusal::unknown_booking, call.match.parameters[0]);
  std::optional<Id> ticket;
  if (call.route != Route::calendar) {
    ticket = parse_id(call.match.parameters[1], IdKind::ticket);
    if (!ticket) return respond_problem(call, {404, "unknown_ticket", std::string(call.match.parameters[1])});
  }
  Command command;
  command.type = CommandType::read_booking;
  command.user = caller.user;
  command.staff = caller.is_staff();
  command.show = id->show;
  command.sequence = id->sequence;
  command.id_random = id->random;
  const bool known = app_.engine.shared().directory.find(command.show) != nullptr;
  if (!known) return respond_refusal(call, Refusal::unknown_booking);
  const bool asked = ask(command, [this, to = call.request.reply_to, route = call.route, ticket](const Reply& reply) {
    make_booking_file(to, route, ticket, reply);
  });
  if (!asked) respond_overloaded(call);
}

void Api::make_booking_file(const ReplyTo& to, Route route, const std::optional<Id>& ticket, const Reply& reply) {
  const std::shared_ptr<const CatalogView> view = view_shared();
  const std::optional<ShowRef> show = view->find(reply.show);
  if (reply.refusal != Refusal::none || !show || show->layout == nullptr) {
    const RefusalInfo& info = describe(reply.refusal == Refusal::none ? Refusal::unknown_booking : reply.refusal);
    return answer_from_pool(to, route, failed(info.status, std::string(info.code), ""));
  }
  ++tasks_waiting_;
  const auto make = [&app = app_, view, reply, show = *show, route, ticket]() -> PoolAnswer {
    const TicketMaker maker = app.ticket_maker(reply.now);
    const BookingFacts booking = maker.facts(view->snapshot(), reply, show);
    if (route == Route::calendar) {
      PoolAnswer answer;
      answer.content_type = "text/calendar; charset=utf-8";
      answer.body = tickets::booking_calendar(booking, reply.now);
      return answer;
    }
    for (const TicketFacts& one : booking.tickets) {
      if (one.id == *ticket) return picture_of(booking, one, route);
    }
    return failed(404, "unknown_ticket", "the booking has no such ticket");
  };
  const bool posted = app_.pool.try_post([this, to, route, make] {
    auto answer = std::make_shared<const PoolAnswer>(make());
    runner_.post([this, to, route, answer] {
      --tasks_waiting_;
      answer_from_pool(to, route, *answer);
    });
  });
  if (posted) return;
  --tasks_waiting_;
  answer_from_pool(to, route, failed(503, "overloaded", "the work pool is full"));
}

// ---- keys ----

void Api::read_ticket_keys(const Call& call) {
  body_.clear();
  json::Writer json(body_);
  app_.ticket_keys.write_public(json);
  respond(call, {.body = body_.view(), .fields = "Cache-Control: public, max-age=300\r\n"});
}

void Api::add_ticket_key(const Call& call) {
  Caller caller;
  if (!authenticate(call, Role::admin, false, caller)) return;
  Instant active_from = runner_.now() + std::chrono::hours{1};
  if (!call.request.body.empty()) {
    if (!check_json(call)) return;
    json::Object root = reader_.parse(call.request.body);
    if (const auto text = root.optional_string("active_from", {20, 40})) {
      const std::optional<Instant> given = catalog::parse_instant(*text);
      if (!given) root.fail("active_from", "must be a time such as 2026-11-24T18:30:00Z");
      active_from = given.value_or(active_from);
    }
    root.finish();
    if (Problem problem; !finish_reading(true, problem)) return respond_problem(call, problem);
  }
  const bool posted = in_pool(call, [&keys = app_.ticket_keys, active_from]() -> PoolAnswer {
    const Result<std::uint32_t> added = keys.add(active_from);
    if (!added)
      return failed(added.error().code == ErrorCode::invalid ? 409 : 500, "key_refused", added.error().detail);
    json::TextBuffer text;
    json::Writer json(text);
    json.begin_object();
    json.field("kid", tickets::key_text(added.value()));
    json.field("active_from", active_from);
    json.end_object();
    PoolAnswer answer;
    answer.status = 201;
    answer.body = text.view();
    return answer;
  });
  if (!posted) respond_overloaded(call);
}

void Api::retire_ticket_key(const Call& call) {
  Caller caller;
  if (!authenticate(call, Role::admin, false, caller)) return;
  const std::optional<std::uint32_t> key = tickets::parse_key(call.match.parameters[0]);
  if (!key) return respond_problem(call, {404, "unknown_ticket_key", "kid: must be 8 hex digits of a listed key"});
  const bool posted = in_pool(call, [&keys = app_.ticket_keys, key = *key, now = runner_.now()]() -> PoolAnswer {
    const Status retired = keys.retire(key, now);
    PoolAnswer answer;
    answer.status = 204;
    answer.content_type = {};
    if (retired) return answer;
    const bool unknown = retired.error().code == ErrorCode::not_found;
    if (unknown) return failed(404, "unknown_ticket_key", retired.error().detail);
    return failed(retired.error().code == ErrorCode::invalid ? 409 : 500, "key_refused", retired.error().detail);
  });
  if (!posted) respond_overloaded(call);
}

}  // namespace usher::server::api
