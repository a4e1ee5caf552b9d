/// The calls that search: GET /movies, whose listings are cached, with `q` on the work pool; GET /movies/suggest.

#include <variant>

#include "server/api/api.hpp"
#include "server/api/browse_answer.hpp"

namespace usher::server::api {
namespace {

constexpr std::size_t hits_max = 500;
constexpr std::uint32_t suggestions_default = 8;
constexpr std::uint32_t suggestions_max = 20;
constexpr std::size_t query_bytes_max = 200;

[[nodiscard]] std::vector<catalog::QueryParameter> parameters_of(const http::Query& query) {
  std::vector<catalog::QueryParameter> parameters;
  query.for_each([&](const std::string& name, const std::string& value) { parameters.push_back({name, value}); });
  return parameters;
}

void write_suggestions(json::TextBuffer& out, const engine::CatalogData& data, const search::Found& found) {
  json::Writer json(out);
  json.begin_object();
  json.key("suggestions");
  json.begin_array();
  for (const std::uint32_t at : found.movies) {
    const engine::Movie& movie = data.movie(at);
    json.begin_object();
    json.field("movie_id", movie.id);
    json.field("title", movie.title);
    json.field("genre", movie.genre);
    json.key("release_date");
    if (movie.release_date) {
      json.string(catalog::format_date(*movie.release_date));
    } else {
      json.null();
    }
    json.end_object();
  }
  json.end_array();
  json.key("corrected");
  if (found.corrected.empty()) {
    json.null();
  } else {
    json.string(found.corrected);
  }
  json.end_object();
}

}  // namespace

/// What a search on the work pool brings back.
struct Api::SearchRun {
  std::string query;  ///< as sent
  std::string if_none_match;
  std::shared_ptr<const CatalogView> view;
  Instant now{};
  std::uint64_t catalog_changes = 0;
  std::uint64_t index_commits = 0;
  json::TextBuffer body;
  catalog::BrowseAnswer answer;
};

void Api::list_movies(const Call& call) {
  const CatalogView& seen = view();
  const std::uint64_t commits = app_.search.commits();
  const std::string_view text = call.request.query;
  if (const Listing* kept = listings_.find(text, view_changes_, commits, runner_.now())) {
    return answer_listing(call.request.reply_to, *kept, call.request.if_none_match);
  }
  http::Query query;
  if (!query.parse(text)) return respond_problem(call, invalid_parameter("query: malformed, or a name twice"));
  const std::string* words = query.find("q");
  if (words != nullptr && !words->empty() && words->size() <= query_bytes_max && app_.search.ready()) {
    return search_movies(call);
  }
  body_.clear();
  const auto parameters = parameters_of(query);
  const catalog::BrowseAnswer answer =
      catalog::list_movies({seen.snapshot(), runner_.now(), available_}, parameters, body_);
  finish_listing(call.request.reply_to, text, view_changes_, commits, answer, body_.view(), call.request.if_none_match);
}

void Api::search_movies(const Call& call) {
  const auto run = std::make_shared<SearchRun>();
  run->query = call.request.query;
  run->if_none_match = call.request.if_none_match;
  run->view = view_;
  run->now = runner_.now();
  run->catalog_changes = view_changes_;
  run->index_commits = app_.search.commits();
  ++tasks_waiting_;
  const bool posted = app_.pool.try_post([this, run, to = call.request.reply_to] {
    http::Query query;
    (void)query.parse(run->query);
    const search::Found found = app_.search.find(*query.find("q"), hits_max);
    catalog::BrowseContext context{run->view->snapshot(), run->now, available_};
    context.found = &found.movies;
    context.corrected = found.corrected;
    run->answer = catalog::list_movies(context, parameters_of(query), run->body);
    runner_.post([this, run, to] {
      --tasks_waiting_;
      finish_listing(to, run->query, run->catalog_changes, run->index_commits, run->answer, run->body.view(),
                     run->if_none_match);
    });
  });
  if (posted) return;
  --tasks_waiting_;
  respond_overloaded(call);
}

void Api::finish_listing(const ReplyTo& to, std::string_view query, std::uint64_t catalog_changes,
                         std::uint64_t index_commits, const catalog::BrowseAnswer& answer, std::string_view body,
                         std::string_view if_none_match) {
  if (const auto* error = std::get_if<catalog::BrowseError>(&answer)) {
    metrics_.count_request(static_cast<std::size_t>(Route::list_movies), error->status);
    return respond_problem(to, {error->status, std::string(error->code), error->detail});
  }
  const auto& page = std::get<catalog::Page>(answer);
  Listing listing{std::make_shared<const std::string>(body), etag_of(page.etag), page.valid_until};
  answer_listing(to, listing, if_none_match);
  listings_.put(query, catalog_changes, index_commits, std::move(listing));
}

void Api::answer_listing(const ReplyTo& to, const Listing& listing, std::string_view if_none_match) {
  fields_ = cache_fields(listing.etag, false);
  const bool same = matches(if_none_match, listing.etag);
  metrics_.count_request(static_cast<std::size_t>(Route::list_movies), same ? 304 : 200);
  if (same) {
    send(to, {.status = 304, .content_type = {}, .fields = fields_});
    return;
  }
  send(to, {.shared_body = listing.body, .fields = fields_});
}

void Api::suggest_movies(const Call& call) {
  http::Query query;
  if (!query.parse(call.request.query))
    return respond_problem(call, invalid_parameter("query: malformed, or a name twice"));
  const CatalogView& seen = view();
  const auto parameters = parameters_of(query);
  catalog::QueryReader reader(seen.snapshot(), parameters);
  const std::uint32_t limit = reader.integer("limit", 1, suggestions_max).value_or(suggestions_default);
  const auto text = reader.text("q");
  if (!text) reader.fail({400, "missing_parameter", "q: must say what was typed so far"});
  if (text && text->size() > query_bytes_max) reader.fail("q", "must have at most 200 bytes");
  if (reader.error()) {
    return respond_problem(call, {reader.error()->status, std::string(reader.error()->code), reader.error()->detail});
  }
  ++tasks_waiting_;
  const bool posted =
      app_.pool.try_post([this, typed = std::string(*text), limit, view = view_, to = call.request.reply_to] {
        const search::Found found = app_.search.suggest(view->snapshot(), typed, limit);
        const auto body = std::make_shared<json::TextBuffer>();
        write_suggestions(*body, view->snapshot().data(), found);
        runner_.post([this, to, body] {
          --tasks_waiting_;
          metrics_.count_request(static_cast<std::size_t>(Route::suggest_movies), 200);
          send(to, {.body = body->view(), .fields = "Cache-Control: public, max-age=10, s-maxage=60\r\n"});
        });
      });
  if (posted) return;
  --tasks_waiting_;
  respond_overloaded(call);
}

}  // namespace usher::server::api
