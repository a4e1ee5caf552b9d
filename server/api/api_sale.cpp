/// The calls that sell: reserve, reservations, bookings, cancellation, batches of commands.

#include <algorithm>
#include <charconv>

#include "server/api/api.hpp"
#include "server/json/seat_ids.hpp"
#include "server/notify/contacts.hpp"

namespace usher::server::api {
namespace {

/// Longest payment token and contact that a request may carry, in bytes.
constexpr std::size_t token_bytes_max = 255;
constexpr std::size_t contact_bytes_max = 254;
constexpr std::string_view seats_field = "seat_ids";

constexpr std::size_t list_limit_default = 20;
constexpr std::size_t list_limit_max = 100;

[[nodiscard]] Uuid to_uuid_of(const Reply& reply) noexcept {
  return to_uuid(Id{IdKind::booking, reply.show, reply.sequence, reply.id_random});
}

/// 16 hex digits, as `user_id` is written.
[[nodiscard]] bool parse_user(std::string_view text, UserNumber& user) noexcept {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  user = static_cast<UserNumber>(value);
  return text.size() == 16 && error == std::errc{} && end == text.data() + text.size();
}

[[nodiscard]] std::size_t count_lines(std::string_view body) noexcept {
  std::size_t lines = 0;
  for (std::size_t at = body.find('\n'); at != std::string_view::npos; at = body.find('\n', at + 1)) ++lines;
  return lines;
}

/// A path's or a body's id. Returns: false when it is not one of that kind.
[[nodiscard]] bool set_id(Command& command, std::string_view text, IdKind kind) {
  const std::optional<Id> id = parse_id(text, kind);
  if (!id) return false;
  command.show = id->show;
  command.sequence = id->sequence;
  command.id_random = id->random;
  return true;
}

}  // namespace

bool Api::check_json(const Call& call) {
  const std::string_view type = call.request.content_type;
  if (type.starts_with("application/json") && (type.size() == 16 || type[16] == ';' || type[16] == ' ')) return true;
  respond_problem(call, {415, "unsupported_media_type", "Content-Type: must be application/json"});
  return false;
}

bool Api::read_seats(json::Object& root, const engine::Layout& layout, std::string_view field, Command& command) {
  json::Array seats = root.optional_array(field, 0, limits::seats_per_request_max);
  while (seats.next()) {
    const std::string_view label = seats.string({1, limits::seat_label_bytes_max});
    if (!reader_.ok()) return false;
    const SeatIndex seat = layout.find(label);
    if (seat == engine::seat_none) {
      seats.fail("no such seat");
      return false;
    }
    command.seats[command.seat_count++] = seat;
  }
  const auto end = command.seats.begin() + command.seat_count;
  std::sort(command.seats.begin(), end);
  if (reader_.ok() && seats.present() && command.seat_count == 0) root.fail(field, "no seats are named");
  if (std::adjacent_find(command.seats.begin(), end) != end) root.fail(field, "a seat is named twice");
  return reader_.ok();
}

bool Api::take_seats(const json::SeatIds& ids, const engine::Layout& layout, Command& command, Problem& problem) {
  for (std::size_t i = 0; i < ids.count; ++i) {
    const SeatIndex seat = layout.find(ids.labels[i]);
    if (seat == engine::seat_none) {
      problem = {400, "unknown_seat", "seat_ids[" + std::to_string(i) + "]: no such seat in this show"};
      return false;
    }
    command.seats[command.seat_count++] = seat;
  }
  std::sort(command.seats.begin(), command.seats.begin() + command.seat_count);
  return true;
}

bool Api::read_reserve(std::string_view body, const ShowRef& show, Command& command, Problem& problem) {
  if (json::SeatIds ids; json::read_seat_ids(body, ids)) return take_seats(ids, *show.layout, command, problem);
  json::Object root = reader_.parse(body);
  const bool known = read_wish(root, *show.layout, command);
  root.finish();
  return finish_reading(known, problem);
}

bool Api::read_wish(json::Object& root, const engine::Layout& layout, Command& command) {
  if (!root.has("best_available")) {
    if (root.present() && !root.has(seats_field)) root.fail(seats_field, "or best_available is required");
    return read_seats(root, layout, seats_field, command);
  }
  if (root.has(seats_field)) root.fail(seats_field, "must not stand beside best_available");
  command.type = CommandType::reserve_best;
  json::Object wish = root.object("best_available");
  command.seat_count = static_cast<std::uint8_t>(wish.integer("count", 1, limits::seats_per_request_max));
  const auto type = wish.optional_one_of("type", engine::seat_type_names);
  if (type) command.seat_type = static_cast<std::uint8_t>(*type);
  command.split = wish.optional_boolean("split").value_or(false);
  wish.finish();
  return true;
}

bool Api::finish_reading(bool seats_known, Problem& problem) {
  if (reader_.ok()) return true;
  static constexpr std::array<std::pair<std::string_view, const char*>, 3> seat_rules{
      {{"no such seat", "unknown_seat"},
       {"no seats are named", "no_seats"},
       {"a seat is named twice", "duplicate_seat"}}};
  const std::string_view error = reader_.error();
  const char* code = error.starts_with("body:") ? "malformed_json" : "invalid_request";
  for (const auto& [rule, of_rule] : seat_rules) {
    if (!seats_known && error.ends_with(rule)) code = of_rule;
  }
  problem = {400, code, std::string(error)};
  return false;
}

void Api::reserve(const Call& call) {
  Caller caller;
  if (!check_json(call) || !authenticate(call, Role::customer, true, caller)) return;
  const std::optional<ShowRef> show = view().find(call.match.parameters[0]);
  if (!show || show->layout == nullptr) {
    return respond_problem(call, {400, "unknown_show", std::string(call.match.parameters[0])});
  }
  Command command;
  command.type = CommandType::reserve;
  command.show = show->row->number;
  command.user = caller.user;
  command.random = random_.next();
  Problem problem;
  if (!read_reserve(call.request.body, *show, command, problem)) return respond_problem(call, problem);
  if (app_.engine.shared().guards.any()) {
    show_admission(http::find_field(call.request, "admission-token").value_or(std::string_view{}), command);
  }
  if (!tag(call, caller, command)) return;
  people_.begin_anew_after(app_.erasures.load(std::memory_order_relaxed));  // alone: nothing is read through it
  people_.note(caller.user, app_.config.identity.issuer, caller.subject, runner_.lane());
  submit(call, command, show->row->shard);
}

void Api::reservation(const Call& call, CommandType type) {
  Caller caller;
  if (!authenticate(call, Role::customer, false, caller)) return;
  Command command;
  command.type = type;
  command.user = caller.user;
  command.staff = caller.is_staff();
  if (!set_id(command, call.match.parameters[0], IdKind::reservation)) {
    return respond_refusal(call, Refusal::unknown_reservation, call.match.parameters[0]);
  }
  submit_by_show(call, command, Refusal::unknown_reservation);
}

void Api::book(const Call& call) {
  Caller caller;
  if (!check_json(call) || !authenticate(call, Role::customer, false, caller)) return;
  Command command;
  command.type = CommandType::start_payment;
  command.user = caller.user;
  command.staff = caller.is_staff();
  json::Object root = reader_.parse(call.request.body);
  const std::string_view id = root.string("reservation_id", {1, 64});
  const std::string_view token = root.string("payment_token", {1, token_bytes_max});
  notify::Contact contact;
  contact.email = root.optional_string("email", {3, contact_bytes_max}).value_or("");
  contact.phone = root.optional_string("phone", {3, 32}).value_or("");
  if (!contact.email.empty() && !notify::is_email(contact.email))
    root.fail("email", "must be an address such as a@b.org");
  if (!contact.phone.empty() && !notify::is_phone(contact.phone)) {
    root.fail("phone", "must be + and 6 to 15 digits, such as +4930123456");
  }
  root.finish();
  if (Problem problem; !finish_reading(true, problem)) return respond_problem(call, problem);
  if (!set_id(command, id, IdKind::reservation) || app_.engine.shared().directory.find(command.show) == nullptr) {
    return respond_refusal(call, Refusal::unknown_reservation, "reservation_id");
  }
  if (!tag(call, caller, command)) return;
  ReplyTo client = call.request.reply_to;
  client.asked_us = now_us_;
  if (!saga_.pay(client, command, token)) return respond_overloaded(call);
  if (contact.empty()) return;
  const Id reservation{IdKind::reservation, command.show, command.sequence, command.id_random};
  for (SideWrite& row : notify::contact_rows(random_, caller.user, reservation, contact)) {
    runner_.lane().append_side(std::move(row));
  }
}

void Api::booking(const Call& call, CommandType type) {
  Caller caller;
  if (!authenticate(call, Role::customer, false, caller)) return;
  Command command;
  command.type = type;
  command.user = caller.user;
  command.staff = caller.is_staff();
  if (!set_id(command, call.match.parameters[0], IdKind::booking)) {
    return respond_refusal(call, Refusal::unknown_booking, call.match.parameters[0]);
  }
  if (type == CommandType::cancel) {
    if (!call.request.body.empty()) {
      if (!check_json(call)) return;
      const std::optional<ShowRef> show = view().find(command.show);
      if (!show || show->layout == nullptr) return respond_refusal(call, Refusal::unknown_booking);
      json::Object root = reader_.parse(call.request.body);
      const bool known = read_seats(root, *show->layout, seats_field, command);
      root.finish();
      if (Problem problem; !finish_reading(known, problem)) return respond_problem(call, problem);
    }
    if (!tag(call, caller, command)) return;
  }
  submit_by_show(call, command, Refusal::unknown_booking);
}

// ---- lists ----

/// A list that is gathered from all loops.
struct Api::ListRun {
  ReplyTo to;
  std::size_t limit = list_limit_default;
  std::string cursor;
  std::vector<Reply> found;  ///< for the asking loop only
  std::size_t loops_left = 0;
};

void Api::list_bookings(const Call& call) {
  Caller caller;
  if (!authenticate(call, Role::customer, false, caller)) return;
  http::Query query;
  if (!query.parse(call.request.query)) return respond_problem(call, invalid_parameter("query: malformed"));
  auto run = std::make_shared<ListRun>();
  if (const std::string* limit = query.find("limit"); limit != nullptr) {
    const bool digits =
        !limit->empty() && limit->size() <= 3 && limit->find_first_not_of("0123456789") == std::string::npos;
    run->limit = digits ? std::stoul(*limit) : 0;
    if (run->limit < 1 || run->limit > list_limit_max) {
      return respond_problem(call, invalid_parameter("limit: must be a whole number from 1 to 100"));
    }
  }
  if (const std::string* cursor = query.find("cursor"); cursor != nullptr) {
    if (!parse_id(*cursor, IdKind::booking)) return respond_problem(call, invalid_parameter("cursor: not one of ours"));
    run->cursor = *cursor;
  }
  UserNumber user = caller.user;
  if (const std::string* other = query.find("user_id"); other != nullptr) {
    if (!caller.is_staff()) return respond_problem(call, {403, "forbidden", "user_id: for staff only"});
    if (!parse_user(*other, user)) return respond_problem(call, invalid_parameter("user_id: must be 16 hex digits"));
  }
  ShowNumber show_number = ShowNumber::none;
  if (const std::string* show_id = query.find("show_id"); show_id != nullptr) {
    if (!caller.is_staff()) return respond_problem(call, {403, "forbidden", "show_id: for staff only"});
    const std::optional<ShowRef> show = view().find(*show_id);
    if (!show) return respond_refusal(call, Refusal::unknown_show, *show_id);
    show_number = show->row->number;
  }
  if (!query.first_unknown().empty()) {
    return respond_problem(call, invalid_parameter(std::string(query.first_unknown()) + ": not known here"));
  }
  run->to = call.request.reply_to;
  run->loops_left = app_.engine.loop_count();
  ++tasks_waiting_;
  for (std::size_t at = 0; at < app_.engine.loop_count(); ++at) {
    engine::AgentRunner& other = app_.engine.runner(at);
    other.post([this, run, user, show_number, &other] {
      auto part = std::make_shared<std::vector<Reply>>();
      for (const engine::Shard* shard : other.shards()) {
        show_number == ShowNumber::none ? shard->bookings_of(user, *part) : shard->bookings_of(show_number, *part);
      }
      other.after_durable([this, run, part] { runner_.post([this, run, part] { add_to_list(*run, *part); }); });
    });
  }
}

void Api::add_to_list(ListRun& run, const std::vector<Reply>& part) {
  run.found.insert(run.found.end(), part.begin(), part.end());
  if (--run.loops_left > 0) return;
  --tasks_waiting_;
  const auto newer = [](const Reply& a, const Reply& b) {
    return a.booked_at != b.booked_at ? a.booked_at > b.booked_at : to_uuid_of(a) > to_uuid_of(b);
  };
  std::sort(run.found.begin(), run.found.end(), newer);
  auto from = run.found.begin();
  if (!run.cursor.empty()) {
    const Uuid last = *parse_uuid(run.cursor);
    from =
        std::find_if(run.found.begin(), run.found.end(), [&](const Reply& reply) { return to_uuid_of(reply) == last; });
    if (from != run.found.end()) ++from;
  }
  const auto left = static_cast<std::size_t>(run.found.end() - from);
  auto page = std::make_shared<std::vector<Reply>>(from, from + static_cast<std::ptrdiff_t>(std::min(left, run.limit)));
  const std::string next = left > run.limit ? to_string(to_uuid_of(page->back())) : std::string{};
  write_in_pool(run.to, http::content_type::json, [page, next](const AnswerWriter& writer, json::TextBuffer& text) {
    json::Writer json(text);
    writer.write_list(json, *page, next);
  });
}

// ---- batches ----

void Api::commands(const Call& call) {
  Caller caller;
  if (!call.request.content_type.starts_with("application/x-ndjson")) {
    return respond_problem(call, {415, "unsupported_media_type", "Content-Type: must be application/x-ndjson"});
  }
  if (!authenticate(call, Role::partner, false, caller)) return;
  const std::string_view body = call.request.body;
  if (count_lines(body) > Batches::lines_max) {
    return respond_problem(call, {413, "body_too_large", "at most 10,000 lines"});
  }
  const std::size_t index = batches_.open(call.request.reply_to);
  if (index == Batches::batches_max) return respond_overloaded(call);
  for (std::size_t at = 0; at < body.size();) {
    const std::size_t end = std::min(body.find('\n', at), body.size());
    const std::string_view line = body.substr(at, end - at);
    at = end + 1;
    if (line.empty() || line == "\r") continue;
    const ReplyTo to = batches_.add_line(index, runner_.loop());
    Problem problem;
    if (!run_line(line, caller, to, problem)) {
      batches_[index].problems.push_back({to.slot, problem.status, problem.code, problem.detail});
      (void)batches_.arrived(index);
    }
  }
  if (batches_.arrived(index)) write_batch(index);
}

bool Api::run_line(std::string_view line, const Caller& caller, const ReplyTo& to, Problem& problem) {
  static constexpr std::array<std::string_view, 4> names{"reserve", "release", "book", "cancel"};
  static constexpr std::array<CommandType, 4> types{CommandType::reserve, CommandType::release,
                                                    CommandType::start_payment, CommandType::cancel};
  if (json::ReserveLine reserve; json::read_reserve_line(line, reserve)) {
    return run_reserve_line(reserve, caller, to, problem);
  }
  json::Object root = reader_.parse(line);
  const std::size_t kind = root.one_of("command", names);
  Command command;
  command.type = types[kind];
  command.reply = to;
  command.user = caller.user;
  if (const auto user = root.optional_string("user_id", {1, limits::customer_name_bytes_max}))
    command.user = identity_.customer_of(caller, *user);
  bool known = true;
  std::string_view token;
  if (command.type == CommandType::reserve) {
    const std::string_view show_id = root.string("show_id", {1, limits::external_id_bytes_max});
    const std::optional<ShowRef> show = view().find(show_id);
    if (reader_.ok() && (!show || show->layout == nullptr)) {
      problem = {400, "unknown_show", std::string(show_id)};
      return false;
    }
    if (reader_.ok()) {
      command.show = show->row->number;
      command.random = random_.next();
      known = read_wish(root, *show->layout, command);
      if (const auto shown = root.optional_string("admission_token", {1, token_bytes_max})) {
        show_admission(*shown, command);
      }
    }
  } else {
    const bool cancels = command.type == CommandType::cancel;
    const std::string_view id = root.string(cancels ? "booking_id" : "reservation_id", {1, 64});
    if (command.type == CommandType::start_payment) token = root.string("payment_token", {1, token_bytes_max});
    if (reader_.ok() && !set_id(command, id, cancels ? IdKind::booking : IdKind::reservation)) {
      const RefusalInfo& info = describe(cancels ? Refusal::unknown_booking : Refusal::unknown_reservation);
      problem = {info.status, std::string(info.code), std::string(id)};
      return false;
    }
    const std::optional<ShowRef> show = view().find(command.show);
    if (cancels && show && show->layout != nullptr) known = read_seats(root, *show->layout, seats_field, command);
  }
  const std::optional<std::string_view> key = root.optional_string("idempotency_key", {1, 255});
  root.finish();
  if (!finish_reading(known, problem)) return false;
  if (key) command.idempotency = identity_.tag(command.user, "POST", "/commands", *key, line);
  return send_line(command, token, problem);
}

// What most lines are, the short way.
bool Api::run_reserve_line(const json::ReserveLine& line, const Caller& caller, const ReplyTo& to, Problem& problem) {
  const std::optional<ShowRef> show = view().find(line.show_id);
  if (!show || show->layout == nullptr) {
    problem = {400, "unknown_show", std::string(line.show_id)};
    return false;
  }
  Command command;
  command.type = CommandType::reserve;
  command.reply = to;
  command.user = line.user_id.empty() ? caller.user : identity_.customer_of(caller, line.user_id);
  command.show = show->row->number;
  command.random = random_.next();
  return take_seats(line.seats, *show->layout, command, problem) && send_line(command, {}, problem);
}

bool Api::send_line(const Command& command, std::string_view token, Problem& problem) {
  const engine::ShowDirectory::Entry* show = app_.engine.shared().directory.find(command.show);
  if (show == nullptr) {
    problem = {404, "unknown_show", "no such show"};
    return false;
  }
  const bool sent = command.type == CommandType::start_payment
                        ? saga_.pay(command.reply, command, token)
                        : runner_.submit_with_others(command, show->shard.load(std::memory_order_relaxed));
  if (!sent) problem = {503, "mailbox_full", "the server has more work than it can queue: try again"};
  return sent;
}

namespace {

void write_lines(const Batch& batch, const AnswerWriter& writer, json::TextBuffer& out) {
  auto problem = batch.problems.begin();
  for (std::uint32_t line = 0; line < batch.answers.size(); ++line) {
    json::Writer json(out);
    json.begin_object();
    json.field("line", line + 1);
    if (problem != batch.problems.end() && problem->line == line) {
      json.field("status", std::uint32_t{problem->status});
      json.key("body");
      json.begin_object();
      http::write_problem_members(json, {problem->status, problem->code, problem->code, problem->detail});
      json.end_object();
      ++problem;
    } else {
      const std::uint16_t status = Api::answer_status(batch.answers[line]);
      json.field("status", std::uint32_t{status});
      if (status != 204) {
        json.key("body");
        writer.write(json, batch.answers[line]);
      }
    }
    json.end_object();
    out.push('\n');
  }
}

}  // namespace

void Api::write_batch(std::size_t index) {
  Batch& batch = batches_[index];
  if (std::any_of(batch.answers.begin(), batch.answers.end(), names_tickets)) {
    auto whole = std::make_shared<Batch>(std::move(batch));
    batch = Batch{};
    batch.generation = whole->generation;
    batches_.close(index);
    return write_in_pool(
        whole->client, http::content_type::ndjson,
        [whole](const AnswerWriter& writer, json::TextBuffer& text) { write_lines(*whole, writer, text); });
  }
  batch_text_.clear();
  const TicketMaker tickets = app_.ticket_maker(runner_.now());
  write_lines(batch, AnswerWriter{view(), tickets}, batch_text_);
  send(batch.client,
       {.status = 200, .content_type = http::content_type::ndjson, .body = batch_text_.view(), .fields = no_store});
  batches_.close(index);
}

}  // namespace usher::server::api
