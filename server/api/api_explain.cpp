/// GET /admin/shows/{id}/explanation: why somebody did not get it: their place in the queue, what they asked and were
/// told, and who had the seats. From the log and the demand journal, both read on the work pool; nothing is kept for
/// it.

#include <algorithm>
#include <charconv>

#include "server/api/api.hpp"
#include "server/events/cloud_event.hpp"
#include "server/explain/asked.hpp"
#include "server/explain/place_history.hpp"
#include "server/explain/seat_history.hpp"

namespace usher::server::api {
namespace {

constexpr std::size_t asked_max = 500;            // newest
constexpr std::size_t seats_max = 1'000;          // whose changes are told
constexpr std::size_t changes_per_seat_max = 20;  // newest

struct Question {
  std::shared_ptr<const CatalogView> view;
  ShowNumber show{};
  UserNumber user{};
  std::vector<SeatIndex> seats;  ///< that they say they wanted
  Instant now{};
};

/// What was found out.
struct Findings {
  explicit Findings(const Question& question) : asked(question.show, question.user, asked_max) {}
  explain::Asked asked;
  std::vector<journal::JournalFile> files;
  std::vector<SeatIndex> seats;
  std::unique_ptr<explain::SeatHistory> history;
  std::vector<std::unique_ptr<explain::PlaceHistory>> places;
  Lsn lsn = 0;
};

class SeatTarget final : public ReplayTarget {
 public:
  explicit SeatTarget(explain::SeatHistory& history) : history_(history) {}
  [[nodiscard]] Status restore(const CheckpointRow& /*row*/) override { return Done{}; }
  [[nodiscard]] Status replay(const Record& record) override {
    history_.add(record);
    return Done{};
  }

 private:
  explain::SeatHistory& history_;
};

[[nodiscard]] Status find_out(App& app, const Question& question, Findings& found) {
  if (!app.config.wal.demand_journal.empty()) {
    auto end = journal::read_journal(app.config.wal.demand_journal, found.asked);
    if (!end && end.error().code != ErrorCode::not_found) return end.error();
    if (end) found.files = std::move(end.value().files);
  }
  found.seats = question.seats;
  for (const journal::Decision& decision : found.asked.decisions()) {
    const bool names = decision.type == CommandType::reserve ||
                       (decision.type == CommandType::reserve_best && decision.refusal == Refusal::none);
    if (!names || found.seats.size() >= seats_max) continue;
    found.seats.insert(found.seats.end(), decision.seats.begin(), decision.seats.begin() + decision.seat_count);
  }
  std::sort(found.seats.begin(), found.seats.end());
  found.seats.erase(std::unique(found.seats.begin(), found.seats.end()), found.seats.end());

  wal::Until until;
  until.time = question.now;
  found.history = std::make_unique<explain::SeatHistory>(question.show, question.user, found.seats);
  SeatTarget target(*found.history);
  const auto end = app.log.replay(question.view->find(question.show)->row->shard, until, target);
  if (!end) return end.error();
  found.lsn = end.value().lsn;
  for (const std::uint32_t room : found.history->rooms()) {
    const auto shard = static_cast<ShardIndex>(room % app.engine.shard_count());
    auto place = std::make_unique<explain::PlaceHistory>(room, shard, question.user);
    if (const auto replayed = app.log.replay(shard, until, *place); !replayed) return replayed.error();
    found.places.push_back(std::move(place));
  }
  return Done{};
}

// ---- as JSON ----

class ExplanationWriter {
 public:
  ExplanationWriter(json::Writer& json, const Question& question, const Findings& found)
      : json_(json), question_(question), found_(found), layout_(*question.view->find(question.show)->layout) {}

  void write(bool journal_on) {
    json_.begin_object();
    json_.field("show_id", question_.view->find(question_.show)->id);
    json_.key("user_id");
    json_.plain_string(fmt::format("{:016x}", to_value(question_.user)));
    json_.field("lsn", found_.lsn);
    json_.field("server_time", question_.now);
    list("queue", found_.places, [&](const auto& place) { queue(*place); });
    journal(journal_on);
    list("asked", found_.asked.decisions(), [&](const auto& decision) { asked(decision); });
    list("held", found_.history->own(), [&](const auto& event) { held(event); });
    list("seats", found_.seats, [&](SeatIndex seat) { history(seat); });
    json_.end_object();
  }

 private:
  template <class List, class Write>
  void list(std::string_view name, const List& values, Write write) {
    json_.key(name);
    json_.begin_array();
    for (const auto& value : values) write(value);
    json_.end_array();
  }
  template <class Seats>
  void seat_ids(const Seats& seats) {
    list("seat_ids", seats, [&](SeatIndex seat) { json_.string(layout_.label(seat)); });
  }
  void span(const explain::Span& span) {
    json_.begin_object();
    json_.field("from", span.from);
    json_.field("until", span.until);
    json_.end_object();
  }

  void queue(const explain::PlaceHistory& place) {
    const engine::Room* room = place.room();
    if (room == nullptr) return;
    json_.begin_object();
    json_.field("room_id", room->settings.id);
    json_.key("order");
    json_.plain_string(room->settings.order == engine::QueueOrder::draw ? "draw" : "arrival");
    json_.key("place");
    place.place() == 0 ? json_.null() : json_.unsigned_integer(place.place());
    json_.field("people", std::uint64_t{room->places.size()});
    json_.field("admitted", room->admitted_total);
    list("events", place.events(), [&](const explain::PlaceEvent& event) {
      json_.begin_object();
      json_.field("at", event.at);
      json_.field("lsn", event.lsn);
      json_.key("what");
      json_.plain_string(event.what);
      json_.field("admitted", event.admitted);
      json_.end_object();
    });
    json_.end_object();
  }

  void journal(bool on) {
    const Instant opened = found_.history->opened();
    json_.key("journal");
    json_.begin_object();
    json_.field("on", on);
    list("not_covered", explain::not_covered(found_.files, on, opened, question_.now),
         [&](const explain::Span& gap) { span(gap); });
    json_.field("dropped", found_.asked.dropped());
    json_.field("left_out", found_.asked.left_out());
    json_.end_object();
  }

  void asked(const journal::Decision& decision) {
    json_.begin_object();
    json_.field("at", decision.at);
    json_.key("what");
    json_.plain_string(explain::name_of(decision.type));
    json_.key("result");
    json_.plain_string(decision.refusal == Refusal::none ? std::string_view{"ok"} : describe(decision.refusal).code);
    const bool unnamed = decision.type == CommandType::reserve_best && decision.refusal != Refusal::none;
    const std::span seats(decision.seats.data(), unnamed ? 0U : decision.seat_count);
    if (decision.type == CommandType::reserve_best) json_.field("count", std::uint64_t{decision.seat_count});
    seat_ids(seats);
    if (decision.type == CommandType::reserve && decision.refusal == Refusal::seats_unavailable) {
      list("taken", seats, [&](SeatIndex seat) { taken(seat, decision.at); });
    }
    json_.end_object();
  }

  void taken(SeatIndex seat, Instant at) {
    const auto since = found_.history->holder(seat, at);
    if (!since) return;
    json_.begin_object();
    json_.field("seat_id", layout_.label(seat));
    change(*since);
    json_.end_object();
  }

  void change(const explain::SeatChange& change) {
    json_.field("at", change.at);
    json_.field("lsn", change.lsn);
    json_.key("what");
    json_.plain_string(explain::to_string(change.fate));
    json_.key("who");
    json_.plain_string(change.user == question_.user ? "they" : change.user == UserNumber::none ? "house" : "another");
  }

  void held(const explain::OwnEvent& event) {
    json_.begin_object();
    json_.field("at", event.at);
    json_.field("lsn", event.lsn);
    json_.key("what");
    json_.plain_string(events::event_name(event.type));
    seat_ids(event.seats);
    json_.end_object();
  }

  void history(SeatIndex seat) {
    std::vector<explain::SeatChange> changes;
    std::copy_if(found_.history->changes().begin(), found_.history->changes().end(), std::back_inserter(changes),
                 [&](const explain::SeatChange& change) { return change.seat == seat; });
    const std::size_t left_out = changes.size() - std::min(changes.size(), changes_per_seat_max);
    changes.erase(changes.begin(), changes.begin() + static_cast<std::ptrdiff_t>(left_out));
    json_.begin_object();
    json_.field("seat_id", layout_.label(seat));
    json_.field("left_out", std::uint64_t{left_out});
    list("changes", changes, [&](const explain::SeatChange& each) {
      json_.begin_object();
      change(each);
      json_.end_object();
    });
    json_.end_object();
  }

  json::Writer& json_;
  const Question& question_;
  const Findings& found_;
  const engine::Layout& layout_;
};

[[nodiscard]] PoolAnswer answer(App& app, const Question& question) {
  Findings found(question);
  PoolAnswer answer;
  if (const Status done = find_out(app, question, found); !done) {
    const bool trimmed = done.error().code == ErrorCode::log_trimmed;
    answer.problem = Problem{static_cast<std::uint16_t>(trimmed ? 410 : 500),
                             trimmed ? "log_trimmed" : "internal_error", done.error().detail};
    return answer;
  }
  json::TextBuffer text;
  json::Writer json(text);
  ExplanationWriter(json, question, found).write(!app.config.wal.demand_journal.empty());
  answer.body = text.view();
  return answer;
}

[[nodiscard]] bool parse_user_id(std::string_view text, UserNumber& user) noexcept {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  user = static_cast<UserNumber>(value);
  return text.size() == 16 && error == std::errc{} && end == text.data() + text.size();
}

/// "F12,F13". Returns: the label that is no seat, or empty.
[[nodiscard]] std::string_view parse_seats(std::string_view text, const engine::Layout& layout,
                                           std::vector<SeatIndex>& seats) {
  while (!text.empty()) {
    const std::string_view label = text.substr(0, text.find(','));
    const SeatIndex seat = layout.find(label);
    if (seat == engine::seat_none || seats.size() >= limits::seats_per_request_max) return label.empty() ? "," : label;
    seats.push_back(seat);
    text.remove_prefix(std::min(text.size(), label.size() + 1));
  }
  return {};
}

}  // namespace

void Api::explain_show(const Call& call) {
  Caller caller;
  if (!authenticate(call, Role::admin, false, caller)) return;
  const std::optional<ShowRef> show = view().find(call.match.parameters[0]);
  if (!show || show->layout == nullptr) return respond_refusal(call, Refusal::unknown_show, call.match.parameters[0]);
  http::Query query;
  if (!query.parse(call.request.query)) return respond_problem(call, invalid_parameter("query: malformed"));
  Question question{view_shared(), show->row->number, UserNumber::none, {}, runner_.now()};
  const std::string* user_id = query.find("user_id");
  const std::string* subject = query.find("user");
  const std::string* seats = query.find("seat_ids");
  if (!query.first_unknown().empty()) {
    return respond_problem(call, invalid_parameter(std::string(query.first_unknown()) + ": not known here"));
  }
  if ((user_id == nullptr) == (subject == nullptr)) {
    return respond_problem(call, invalid_parameter("user_id: or `user`, one of both is needed"));
  }
  if (subject != nullptr) {
    question.user = identity::user_number(app_.identity.directory.users, app_.config.identity.issuer, *subject);
  } else if (!parse_user_id(*user_id, question.user)) {
    return respond_problem(call, invalid_parameter("user_id: must be 16 hex digits"));
  }
  if (seats != nullptr) {
    const std::string_view wrong = parse_seats(*seats, *show->layout, question.seats);
    if (!wrong.empty()) {
      return respond_problem(call,
                             invalid_parameter("seat_ids: no seat of this show, or too many: " + std::string(wrong)));
    }
  }
  if (!in_pool(call, [&app = app_, question] { return answer(app, question); })) respond_overloaded(call);
}

}  // namespace usher::server::api
