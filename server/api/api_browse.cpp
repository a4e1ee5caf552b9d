/// The calls that look: movies, theaters, showtimes, shows, seat maps.

#include <array>
#include <charconv>
#include <variant>

#include "server/api/api.hpp"
#include "server/api/browse_answer.hpp"
#include "server/catalog/zones.hpp"

namespace usher::server::api {
void Api::browse(const Call& call) {
  http::Query query;
  std::vector<catalog::QueryParameter> parameters;
  if (!query.parse(call.request.query))
    return respond_problem(call, invalid_parameter("query: malformed, or a name twice"));
  query.for_each([&](const std::string& name, const std::string& value) { parameters.push_back({name, value}); });
  const catalog::BrowseContext context{view().snapshot(), runner_.now(), available_};
  const std::string_view id = call.match.parameter_count > 0 ? call.match.parameters[0] : std::string_view{};
  body_.clear();
  const catalog::BrowseAnswer answer = [&]() -> catalog::BrowseAnswer {
    switch (call.route) {
      case Route::show_movie:
        return show_movie(context, id, body_);
      case Route::list_showtimes:
        return list_showtimes(context, id, parameters, body_);
      case Route::list_theaters:
        return list_theaters(context, parameters, body_);
      case Route::show_theater:
        return show_theater(context, id, body_);
      case Route::list_cities:
        return list_cities(context, body_);
      default:
        return show_show(context, id, body_);
    }
  }();
  if (const auto* error = std::get_if<catalog::BrowseError>(&answer)) {
    return respond_problem(call, {error->status, std::string(error->code), error->detail});
  }
  const auto& page = std::get<catalog::Page>(answer);
  const std::string etag = etag_of(page.etag);
  fields_ = cache_fields(etag, page.has_availability);
  if (matches(call.request.if_none_match, etag))
    return respond(call, {.status = 304, .content_type = {}, .fields = fields_});
  respond(call, {.body = body_.view(), .fields = fields_});
}

/// A show's image away from its shard: the planes are copied, the rest points to what lives as long as the process.
struct Api::SeatCopy {
  std::optional<engine::ShowView> seats;
  engine::SaleTerms terms;
  std::array<std::vector<std::uint64_t>, 3> planes;

  void take(const std::optional<engine::ShowView>& from) {
    seats = from;
    if (!from) return;
    terms = *from->terms;
    planes[0].assign(from->reserved.begin(), from->reserved.end());
    planes[1].assign(from->booked.begin(), from->booked.end());
    planes[2].assign(from->blocked.begin(), from->blocked.end());
  }
  [[nodiscard]] engine::ShowView view(const engine::Layout& layout) const {
    engine::ShowView view = *seats;
    view.layout = &layout;
    view.terms = &terms;
    view.reserved = planes[0];
    view.booked = planes[1];
    view.blocked = planes[2];
    return view;
  }
};

void Api::show_seats(const Call& call) {
  const std::optional<ShowRef> show = view().find(call.match.parameters[0]);
  if (!show || show->layout == nullptr) return respond_refusal(call, Refusal::unknown_show, call.match.parameters[0]);
  if (!call.request.query.empty()) return show_past_seats(call, *show);
  const std::uint16_t owner = app_.engine.loop_of(show->row->shard);
  metrics_.count_request(static_cast<std::size_t>(call.route), 200);
  if (owner == runner_.loop()) {
    const std::optional<engine::ShowView> seats = runner_.shard(show->row->shard)->view(show->row->number);
    if (!seats) return respond_refusal(call, Refusal::unknown_show, call.match.parameters[0]);
    return answer_seats(call.request.reply_to, *seats, *show, call.request.if_none_match);
  }
  // another loop's show: its owner copies the planes, this loop writes the page
  engine::AgentRunner& other = app_.engine.runner(owner);
  const auto copy = std::make_shared<SeatCopy>();
  ++tasks_waiting_;
  const auto answer = [this, copy, number = show->row->number, to = call.request.reply_to,
                       tag = std::string(call.request.if_none_match)] {
    --tasks_waiting_;
    answer_copy(to, *copy, number, tag);
  };
  other.post([this, copy, &other, answer, number = show->row->number, shard = show->row->shard] {
    copy->take(other.shard(shard)->view(number));
    runner_.post(answer);
  });
}

void Api::answer_copy(const ReplyTo& to, const SeatCopy& copy, ShowNumber number, std::string_view if_none_match) {
  const std::optional<ShowRef> show = view().find(number);
  if (!copy.seats || !show || show->layout == nullptr) {
    return respond_problem(to, {404, "unknown_show", "not there at that time"});
  }
  answer_seats(to, copy.view(*show->layout), *show, if_none_match);
}

/// `?as_of=`: what the log says of any past instant, replayed on the work pool. For operators.
void Api::show_past_seats(const Call& call, const ShowRef& show) {
  http::Query query;
  if (!query.parse(call.request.query))
    return respond_problem(call, invalid_parameter("query: malformed, or a name twice"));
  const std::string* text = query.find("as_of");
  if (!query.first_unknown().empty()) {
    return respond_problem(call, invalid_parameter(std::string(query.first_unknown()) + ": not known here"));
  }
  const std::optional<Instant> as_of = text == nullptr ? std::nullopt : catalog::parse_instant(*text);
  if (!as_of) return respond_problem(call, invalid_parameter("as_of: must be a time such as 2026-11-24T18:30:00Z"));
  Caller caller;
  if (!authenticate(call, Role::admin, false, caller)) return;
  const auto copy = std::make_shared<SeatCopy>();
  ++tasks_waiting_;
  metrics_.count_request(static_cast<std::size_t>(call.route), 200);
  const bool posted = app_.pool.try_post([this, copy, to = call.request.reply_to, time = *as_of,
                                          number = show.row->number, shard = show.row->shard] {
    engine::SharedTables shared;
    engine::Shard past(shard, shared, Instant{});
    wal::Until until;
    until.time = time;
    const Result<wal::ReplayEnd> end = app_.log.replay(shard, until, past);
    if (end) copy->take(past.view(number));
    runner_.post([this, copy, to, number, error = end ? std::optional<Error>{} : std::optional<Error>{end.error()}] {
      --tasks_waiting_;
      if (!error) return answer_copy(to, *copy, number, {});
      const bool trimmed = error->code == ErrorCode::log_trimmed;
      respond_problem(to, {static_cast<std::uint16_t>(trimmed ? 410 : 500), trimmed ? "log_trimmed" : "internal_error",
                           error->detail});
    });
  });
  if (posted) return;
  --tasks_waiting_;
  respond_overloaded(call);
}

void Api::answer_seats(const ReplyTo& to, const engine::ShowView& seats, const ShowRef& show,
                       std::string_view if_none_match) {
  const std::string etag = etag_of(mix64(to_value(show.row->number)) ^ seats.lsn);
  fields_ = cache_fields(etag, true);
  if (matches(if_none_match, etag)) {
    send(to, {.status = 304, .content_type = {}, .fields = fields_});
    return;
  }
  const engine::CatalogData& data = view().snapshot().data();
  const engine::Theater& theater = data.theater(data.theater_of_screen(show.row->screen));
  const catalog::SeatMapFacts facts{show.id,     theater.time_zone, to_string(seats.status),
                                    seats.start, seats.end,         seats.lsn};
  const auto map =
      seat_maps_.get(*seats.layout, {seats.terms->currency, seats.terms->price_standard, seats.terms->price_premium});
  body_.clear();
  char* out = body_.prepare(map->bytes_max(facts));
  body_.commit(map->render(facts, {seats.reserved, seats.booked, seats.blocked}, out));
  send(to, {.body = body_.view(), .fields = fields_});
}

}  // namespace usher::server::api
