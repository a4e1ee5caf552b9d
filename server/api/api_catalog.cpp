/// The calls that change one thing of the catalog: a movie, a theater with its screens, a show. Each is an import of a
/// document with that one thing in it, so the same rules hold and the same record tells of it.

#include <variant>

#include "server/api/api.hpp"
#include "server/api/browse_answer.hpp"
#include "server/api/importing.hpp"

namespace usher::server::api {
namespace {

struct Kind {
  std::string_view list;  ///< of the import document
  std::string_view id;    ///< the field that names one
};

[[nodiscard]] Kind kind_of(Route route) noexcept {
  switch (route) {
    case Route::put_movie:
      return {"movies", "movie_id"};
    case Route::put_theater:
      return {"theaters", "theater_id"};
    default:
      return {"shows", "show_id"};
  }
}

}  // namespace

/// The tag that GET of the same thing answers with, or nothing where it is not there.
std::optional<std::string> Api::tag_of(Route route, std::string_view id) {
  const catalog::BrowseContext context{view().snapshot(), runner_.now(), available_};
  body_.clear();
  const catalog::BrowseAnswer answer = route == Route::put_movie     ? catalog::show_movie(context, id, body_)
                                       : route == Route::put_theater ? catalog::show_theater(context, id, body_)
                                                                     : catalog::show_show(context, id, body_);
  if (const auto* page = std::get_if<catalog::Page>(&answer)) return etag_of(page->etag);
  return std::nullopt;
}

/// `If-Match` (RFC 9110 section 13.1.1) and `If-None-Match: *` (13.1.2). Returns: false after the refusal was answered.
bool Api::check_preconditions(const Call& call, std::string_view id) {
  const std::optional<std::string_view> wanted = http::find_field(call.request, "if-match");
  const bool must_be_new = call.request.if_none_match == "*";
  if (!wanted && !must_be_new) return true;
  const std::optional<std::string> now = tag_of(call.route, id);
  const bool holds = must_be_new ? !now : now && matches(*wanted, *now);
  if (holds) return true;
  respond_problem(call, {412, "precondition_failed",
                         must_be_new ? "If-None-Match: it is there already"
                         : now       ? "If-Match: it has changed since; its tag is now " + *now
                                     : "If-Match: it is not there"});
  return false;
}

void Api::put_entity(const Call& call) {
  Caller caller;
  if (!check_json(call) || !authenticate(call, Role::admin, false, caller)) return;
  const Kind kind = kind_of(call.route);
  const std::string_view id = call.match.parameters[0];
  json::Object root = reader_.parse(call.request.body);
  const std::string_view named = root.string(kind.id, {1, limits::external_id_bytes_max});
  if (Problem problem; !finish_reading(true, problem)) return respond_problem(call, problem);
  if (named != id) {
    return respond_problem(call, {400, "invalid_request", std::string(kind.id) + ": must be the id in the path"});
  }
  if (!begin_import(call)) return;
  if (!check_preconditions(call, id)) {
    app_.importing = false;
    return;
  }
  std::string document = "{\"";
  document.append(kind.list).append("\":[").append(call.request.body).append("]}");
  run_import(call, std::move(document), DocumentFormat::json, false);
}

}  // namespace usher::server::api
