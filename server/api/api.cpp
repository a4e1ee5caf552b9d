#include "server/api/api.hpp"

#include "server/feed_options.hpp"
#include "server/openapi/openapi.hpp"
#include "server/ws/asyncapi.hpp"

namespace usher::server::api {
namespace {

/// Names a request for the map of cookies: connections and slots come again, so the generation is in it.
[[nodiscard]] std::uint64_t key_of(const ReplyTo& to) noexcept {
  return mix64((std::uint64_t{to.connection} << 32U) | to.slot) ^ to.generation;
}

/// What the people who run the house call.
[[nodiscard]] bool is_operators(Route route) noexcept {
  switch (route) {
    case Route::import:
    case Route::put_movie:
    case Route::put_theater:
    case Route::put_show:
    case Route::cancel_show:
    case Route::block_seats:
    case Route::unblock_seats:
    case Route::add_ticket_key:
    case Route::retire_ticket_key:
    case Route::change_policy:
    case Route::explain_show:
    case Route::open_room:
    case Route::list_rooms:
    case Route::read_room:
    case Route::change_room:
    case Route::close_room:
    case Route::hold_draw:
    case Route::put_gate:
    case Route::list_gates:
    case Route::remove_gate:
    case Route::list_deliveries:
    case Route::retry_delivery:
    case Route::metrics:
      return true;
    default:
      return false;
  }
}

/// What is for operators, where they have a listener of their own.
[[nodiscard]] bool may_enter(Route route, Entrance entrance) noexcept {
  switch (route) {
    case Route::health:
    case Route::ready:
    // what the console reads
    case Route::list_movies:
    case Route::show_movie:
    case Route::list_showtimes:
    case Route::list_theaters:
    case Route::show_theater:
    case Route::list_cities:
    case Route::show_show:
    case Route::show_seats:
    case Route::live:
    case Route::openapi:
    case Route::asyncapi:
    case Route::index:
      return true;
    default:
      return is_operators(route) ? entrance != Entrance::customers : entrance != Entrance::operators;
  }
}

/// What people use; operators, gates and machines that watch are not counted.
[[nodiscard]] bool is_limited(Route route) noexcept {
  switch (route) {
    case Route::health:
    case Route::ready:
    case Route::check_in:
    case Route::list_revocations:
    case Route::list_events:
      return false;
    default:
      return !is_operators(route);
  }
}

[[nodiscard]] WorkLimits work_limits(const config::ServerConfig& config, std::size_t loops) {
  WorkLimits limits;
  limits.age_max = config.queue_age_max;
  limits.per_second = static_cast<double>(config.work_limit) / static_cast<double>(loops);
  return limits;
}

[[nodiscard]] Work work_of(Route route) noexcept {
  switch (route) {
    case Route::reserve:
    case Route::read_reservation:
    case Route::release:
    case Route::book:
    case Route::list_bookings:
    case Route::read_booking:
    case Route::preview_cancel:
    case Route::cancel:
    case Route::ticket_svg:
    case Route::ticket_png:
    case Route::ticket_pdf:
    case Route::calendar:
    case Route::check_in:
    case Route::erase_me:
    case Route::commands:
    case Route::join_queue:
    case Route::read_place:
    case Route::leave_place:
    case Route::join_waitlist:
    case Route::read_waitlist:
    case Route::leave_waitlist:
      return Work::selling;
    case Route::list_movies:
    case Route::suggest_movies:
    case Route::show_movie:
    case Route::list_showtimes:
    case Route::list_theaters:
    case Route::show_theater:
    case Route::list_cities:
    case Route::show_show:
    case Route::show_seats:
    case Route::live:
    case Route::list_revocations:
    case Route::list_events:
    case Route::export_me:
      return Work::looking;
    default:
      return Work::free;
  }
}

[[nodiscard]] Route route_of(CommandType type) noexcept {
  switch (type) {
    case CommandType::reserve:
    case CommandType::reserve_best:
      return Route::reserve;
    case CommandType::release:
      return Route::release;
    case CommandType::read_reservation:
      return Route::read_reservation;
    case CommandType::start_payment:
    case CommandType::finish_payment:
      return Route::book;
    case CommandType::read_booking:
      return Route::read_booking;
    case CommandType::preview_cancel:
      return Route::preview_cancel;
    case CommandType::cancel:
      return Route::cancel;
    case CommandType::cancel_show:
      return Route::cancel_show;
    case CommandType::block_seats:
      return Route::block_seats;
    case CommandType::unblock_seats:
      return Route::unblock_seats;
    case CommandType::join_queue:
      return Route::join_queue;
    case CommandType::read_queue:
      return Route::read_place;
    case CommandType::leave_queue:
      return Route::leave_place;
    case CommandType::join_waitlist:
      return Route::join_waitlist;
    case CommandType::read_waitlist:
      return Route::read_waitlist;
    case CommandType::leave_waitlist:
      return Route::leave_waitlist;
    default:
      return Route::none;
  }
}

}  // namespace

Api::Api(App& app, http::Loop& loop, engine::AgentRunner& runner, metrics::LoopMetrics& metrics)
    : app_(app),
      loop_(loop),
      runner_(runner),
      metrics_(metrics),
      identity_(app.config.identity, app.identity),
      available_([&app](ShowNumber number) -> std::optional<std::uint32_t> {
        if (!app.engine.is_open(number)) return std::nullopt;
        return app.engine.available(number);
      }),
      saga_(
          runner, app.engine.shared().directory, app.gateway, metrics, [this] { return random_.next(); },
          [this](const ReplyTo& to, const Reply& reply) { deliver(to, reply); }),
      feed_(loop, feed_options(app.config.feed, metrics), app.subscribers),
      live_shows_(app.engine, runner, feed_, app.config.feed.tick, app.live),
      gate_(work_limits(app.config.server, app.engine.loop_count())) {}

// ---- requests ----

void Api::on_request(const http::Request& request, http::Connection& connection, Entrance entrance) {
  const http::RouteMatch match = app_.router.match(request.method, request.path);
  const bool found = match.kind == http::RouteMatch::Kind::found;
  const Call call{request, connection, match, found ? static_cast<Route>(match.route) : Route::none, entrance};
  if (match.kind == http::RouteMatch::Kind::method_not_allowed) {
    return respond_problem(call, {405, "method_not_allowed", std::string(to_string(request.method))},
                           match.allow_field);
  }
  if (!found && show_page({request, connection, match, Route::page, entrance})) return;
  if (!found || !may_enter(call.route, entrance)) return respond_problem(call, {404, "not_found", "no such path"});
  if (!gate_.admit(work_of(call.route), runner_.now(), runner_.answers_waiting())) return respond_overloaded(call);
  if (app_.limits.by_address() && is_limited(call.route) && !within_limits(call)) return;
  dispatch(call);
}

void Api::dispatch(const Call& call) {
  switch (call.route) {
    case Route::reserve:
      return reserve(call);
    case Route::read_reservation:
      return reservation(call, CommandType::read_reservation);
    case Route::release:
      return reservation(call, CommandType::release);
    case Route::show_seats:
      return show_seats(call);
    case Route::live:
      return live(call);
    case Route::book:
      return book(call);
    case Route::list_bookings:
      return list_bookings(call);
    case Route::read_booking:
      return booking(call, CommandType::read_booking);
    case Route::preview_cancel:
      return booking(call, CommandType::preview_cancel);
    case Route::cancel:
      return booking(call, CommandType::cancel);
    case Route::commands:
      return commands(call);
    case Route::list_movies:
      return list_movies(call);
    case Route::suggest_movies:
      return suggest_movies(call);
    case Route::show_movie:
    case Route::list_showtimes:
    case Route::list_theaters:
    case Route::show_theater:
    case Route::list_cities:
    case Route::show_show:
      return browse(call);
    case Route::import:
      return import(call);
    case Route::put_movie:
    case Route::put_theater:
    case Route::put_show:
      return put_entity(call);
    case Route::cancel_show:
      return admin_show(call, CommandType::cancel_show);
    case Route::block_seats:
      return admin_show(call, CommandType::block_seats);
    case Route::unblock_seats:
      return admin_show(call, CommandType::unblock_seats);
    case Route::health:
      return respond(call, {.body = R"({"status":"ok"})", .fields = no_store});
    case Route::ready:
      return read_ready(call);
    case Route::metrics:
      return read_metrics(call);
    case Route::openapi:
      return respond(call, {.body = openapi::document(), .fields = "Cache-Control: public, max-age=60\r\n"});
    case Route::asyncapi:
      return respond(call, {.body = asyncapi::document(), .fields = "Cache-Control: public, max-age=60\r\n"});
    case Route::index:
      return read_index(call);
    default:
      return dispatch_after_sale(call);
  }
}

void Api::dispatch_after_sale(const Call& call) {
  switch (call.route) {
    case Route::ticket_svg:
    case Route::ticket_png:
    case Route::ticket_pdf:
    case Route::calendar:
      return booking_file(call);
    case Route::ticket_keys:
      return read_ticket_keys(call);
    case Route::add_ticket_key:
      return add_ticket_key(call);
    case Route::retire_ticket_key:
      return retire_ticket_key(call);
    case Route::check_in:
      return check_in(call);
    case Route::list_revocations:
      return list_revocations(call);
    case Route::list_events:
      return list_events(call);
    case Route::export_me:
      return export_me(call);
    case Route::erase_me:
      return erase_me(call);
    case Route::list_deliveries:
      return list_deliveries(call);
    case Route::retry_delivery:
      return retry_delivery(call);
    case Route::put_gate:
      return put_gate(call);
    case Route::list_gates:
      return list_gates(call);
    case Route::remove_gate:
      return remove_gate(call);
    default:
      return dispatch_queue(call);
  }
}

void Api::dispatch_queue(const Call& call) {
  switch (call.route) {
    case Route::change_policy:
      return change_policy(call);
    case Route::explain_show:
      return explain_show(call);
    case Route::join_queue:
      return join_queue(call);
    case Route::read_place:
      return place(call, CommandType::read_queue);
    case Route::leave_place:
      return place(call, CommandType::leave_queue);
    case Route::read_draw:
      return read_draw(call);
    case Route::join_waitlist:
      return waitlist(call, CommandType::join_waitlist);
    case Route::read_waitlist:
      return waitlist(call, CommandType::read_waitlist);
    case Route::leave_waitlist:
      return waitlist(call, CommandType::leave_waitlist);
    case Route::open_room:
      return open_room(call);
    case Route::list_rooms:
      return list_rooms(call);
    case Route::read_room:
      return read_room(call);
    case Route::change_room:
      return change_room(call);
    case Route::close_room:
      return close_room(call);
    case Route::hold_draw:
      return hold_draw(call);
    default:
      break;
  }
}

bool Api::authenticate(const Call& call, Role least, bool anonymous, Caller& caller) {
  Identity::Verdict verdict = identity_.identify(call.request, runner_.now(), anonymous);
  if (!verdict.set_cookie.empty()) cookies_[key_of(call.request.reply_to)] += verdict.set_cookie;
  if (!verdict.code.empty()) {
    static constexpr std::string_view fields = "WWW-Authenticate: Bearer\r\nCache-Control: no-store\r\n";
    respond_problem(call, {401, std::string(verdict.code), std::string(verdict.text)}, fields);
    return false;
  }
  caller = verdict.caller;
  // a session may do what a customer may
  const Role role = caller.role == Role::anonymous ? Role::customer : caller.role;
  if (role >= least && (least == Role::customer || least == Role::gate || role != Role::gate))
    return within_limits(call, caller);
  respond_problem(call, {403, "forbidden", "role: must be " + std::string(to_string(least)) + " or more"});
  return false;
}

bool Api::tag(const Call& call, const Caller& caller, Command& command) {
  const std::string_view key = call.request.idempotency_key;
  if (key.empty()) return true;
  if (!identity::is_idempotency_key(key)) {
    respond_problem(call,
                    {400, "invalid_idempotency_key", "Idempotency-Key: must be 1 to 255 visible ASCII characters"});
    return false;
  }
  command.idempotency =
      identity_.tag(caller.user, to_string(call.request.method), call.request.path, key, call.request.body);
  return true;
}

void Api::submit(const Call& call, Command& command, ShardIndex shard) {
  command.reply = call.request.reply_to;
  command.reply.asked_us = now_us_;
  if (!runner_.submit_with_others(command, shard)) respond_overloaded(call);
}

void Api::submit_by_show(const Call& call, Command& command, Refusal unknown) {
  const engine::ShowDirectory::Entry* show = app_.engine.shared().directory.find(command.show);
  if (show == nullptr) return respond_refusal(call, unknown);
  submit(call, command, show->shard.load(std::memory_order_relaxed));
}

const CatalogView& Api::view() {
  const std::uint64_t changes = app_.catalog_changes.load(std::memory_order_acquire);  // release: publish_catalog()
  if (changes != view_changes_) {
    view_ = app_.catalog.load();
    view_changes_ = changes;
  }
  return *view_;
}

// ---- answers ----

void Api::respond(const Call& call, const http::Response& response) {
  metrics_.count_request(static_cast<std::size_t>(call.route), response.status);
  if (cookies_.empty()) return void(call.connection.respond(call.request.reply_to.slot, response));
  send(call.request.reply_to, response);
}

void Api::send(const ReplyTo& to, http::Response response) {
  if (const std::string_view lines = take_cookie(to); !lines.empty()) {
    sent_fields_ = response.fields;
    sent_fields_ += lines;
    response.fields = sent_fields_;
  }
  loop_.respond(to, response);
}

// ---- fair use ----

bool Api::within_limits(const Call& call) {
  return note_limit(call, false, app_.limits.take(call.request.client, runner_.now()));
}

bool Api::within_limits(const Call& call, const Caller& caller) {
  const bool counts = caller.role == Role::anonymous || caller.role == Role::customer;
  if (!app_.limits.by_user() || !counts) return true;
  return note_limit(call, true, app_.limits.take(caller.user, runner_.now()));
}

/// Tells the client where it stands, or that it has asked too often.
bool Api::note_limit(const Call& call, bool of_user, const RateVerdict& verdict) {
  if (verdict.counted) app_.limits.append_fields(cookies_[key_of(call.request.reply_to)], of_user, verdict);
  if (verdict.allowed) return true;
  const Refusal refusal = of_user ? Refusal::user_rate_limited : Refusal::address_rate_limited;
  fields_ = no_store;
  fields_ += "Retry-After: " + std::to_string((verdict.retry_in.count() + 999) / 1000) + "\r\n";
  metrics_.count_refusal(refusal);
  respond_problem(call,
                  {429, std::string(describe(refusal).code), of_user ? "limits.user_quota" : "limits.address_quota"},
                  std::string(fields_));
  return false;
}

void Api::respond_problem(const Call& call, const Problem& problem, std::string_view fields) {
  metrics_.count_request(static_cast<std::size_t>(call.route), problem.status);
  respond_problem(call.request.reply_to, problem, fields);
}

void Api::respond_problem(const ReplyTo& to, const Problem& problem, std::string_view fields) {
  body_.clear();
  append_problem(body_, to_http(problem));
  fields_ = fields;
  fields_ += take_cookie(to);
  const bool retries = problem.status == 503 || problem.status == 429;
  if (retries && fields.find("Retry-After") == std::string_view::npos) fields_ += "Retry-After: 1\r\n";
  loop_.respond(
      to,
      {.status = problem.status, .content_type = http::content_type::problem, .body = body_.view(), .fields = fields_});
}

void Api::respond_refusal(const Call& call, Refusal refusal, std::string_view detail) {
  const RefusalInfo& info = describe(refusal);
  metrics_.count_refusal(refusal);
  respond_problem(call, {info.status, std::string(info.code), std::string(detail)});
}

void Api::respond_overloaded(const Call& call) {
  metrics_.count_refusal(Refusal::mailbox_full);
  respond(call, http::overloaded_response());
}

std::string_view Api::take_cookie(const ReplyTo& to) {
  cookie_.clear();
  if (cookies_.empty()) return {};
  const auto found = cookies_.find(key_of(to));
  if (found == cookies_.end()) return {};
  cookie_ = std::move(found->second);
  cookies_.erase(found);
  return cookie_;
}

static_assert(Saga::connection != Asks::connection && Saga::connection != engine::AgentRunner::note_connection &&
              Asks::connection != engine::AgentRunner::note_connection);

void Api::on_reply(const Reply& reply) {
  if (reply.to.connection == Saga::connection) return saga_.on_reply(reply);
  if (reply.to.connection == Asks::connection) return asks_.answer(reply);
  deliver(reply.to, reply);
}

void Api::deliver(const ReplyTo& to, const Reply& reply) {
  if (Batches::owns(to)) {
    count(reply);
    const std::size_t index = Batches::index_of(to);
    batches_[index].answers[to.slot] = reply;
    if (batches_.arrived(index)) write_batch(index);
    return;
  }
  count(reply);
  const std::uint16_t status = answer_status(reply);
  const std::uint64_t took_ns = std::uint64_t{now_us_ - to.asked_us} * 1'000;
  gate_.note_age(now_us_ - to.asked_us);
  metrics_.request_duration.record(took_ns);
  const bool reserved = reply.type == CommandType::reserve || reply.type == CommandType::reserve_best;
  if (reserved && status == 201) metrics_.reserve_duration.record(took_ns);
  if (names_tickets(reply)) return deliver_tickets(to, reply, status);
  body_.clear();
  if (status != 204) {
    json::Writer json(body_);
    write_answer(json, reply);
  }
  http::Response response;
  response.status = status;
  response.body = body_.view();
  response.content_type = status < 400 ? http::content_type::json : http::content_type::problem;
  if (status == 204) response.content_type = {};
  response.fields = no_store;
  const bool retry = status == 503 || status == 429;
  if (const std::string_view cookie = take_cookie(to); retry || !cookie.empty()) {
    fields_ = no_store;
    fields_ += cookie;
    if (retry) {
      const std::int64_t wait_ms = reply.refusal == Refusal::cooldown ? (reply.retry_at - reply.now).count() : 1000;
      fields_ += "Retry-After: " + std::to_string((wait_ms + 999) / 1000) + "\r\n";
    }
    response.fields = fields_;
  }
  loop_.respond(to, response);
}

std::uint16_t Api::answer_status(const Reply& reply) noexcept {
  if (reply.refusal == Refusal::none && reply.type == CommandType::start_payment) return 202;
  return status_of(reply);
}

void Api::write_answer(json::Writer& json, const Reply& reply) {
  if (is_for_room(reply.type) && reply.refusal == Refusal::none) return write_place(json, reply);
  const bool listed = reply.type == CommandType::join_waitlist || reply.type == CommandType::read_waitlist;
  const std::optional<ShowRef> show = listed ? view().find(reply.show) : std::nullopt;
  if (listed && reply.refusal == Refusal::none && show && show->layout != nullptr) {
    return write_party(json, reply, *show);
  }
  const TicketMaker tickets = app_.ticket_maker(reply.now);
  AnswerWriter{view(), tickets}.write(json, reply);
}

void Api::count(const Reply& reply) {
  metrics_.count_request(static_cast<std::size_t>(route_of(reply.type)), answer_status(reply));
  if (reply.refusal != Refusal::none) return metrics_.count_refusal(reply.refusal);
  if (reply.replayed) return;
  switch (reply.type) {
    case CommandType::reserve:
    case CommandType::reserve_best:
      metrics_.reservations.add();
      metrics_.seats_reserved.add(reply.seat_count);
      break;
    case CommandType::release:
      metrics_.releases.add();
      break;
    case CommandType::finish_payment:
      metrics_.bookings.add();
      metrics_.tickets.add(reply.seat_count);
      break;
    case CommandType::cancel:
      metrics_.cancellations.add();
      break;
    case CommandType::join_queue:
      if (reply.queue.fresh) metrics_.places_taken.add();
      break;
    case CommandType::join_waitlist:
      if (reply.queue.fresh) metrics_.parties_listed.add();
      break;
    case CommandType::cancel_show:
      list_as_cancelled(reply.show);
      break;
    default:
      break;
  }
}

void Api::tick() {
  poll_events();
  saga_.tick(runner_.now());
}

}  // namespace usher::server::api
