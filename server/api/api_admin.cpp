/// The calls for those who run the house: import, cancelling and blocking, health, metrics.

#include "server/api/api.hpp"
#include "server/api/importing.hpp"
#include "server/web/pages.hpp"

namespace usher::server::api {

void Api::import(const Call& call) {
  Caller caller;
  const bool is_csv = call.request.content_type.starts_with("text/csv");
  if ((!is_csv && !check_json(call)) || !authenticate(call, Role::admin, false, caller)) return;
  http::Query query;
  const bool is_query = query.parse(call.request.query);
  const std::string* dry_run = query.find("dry_run");
  const bool is_flag = dry_run == nullptr || *dry_run == "true" || *dry_run == "false";
  if (!is_query || !is_flag || !query.first_unknown().empty()) {
    return respond_problem(call, invalid_parameter("dry_run: must be true or false, and nothing else may be given"));
  }
  if (!begin_import(call)) return;
  run_import(call, std::string(call.request.body), is_csv ? DocumentFormat::csv : DocumentFormat::json,
             dry_run != nullptr && *dry_run == "true");
}

/// One import at a time, so that a plan fits the catalog that it was made from. Returns: false after the refusal was
/// answered.
bool Api::begin_import(const Call& call) {
  if (!app_.importing.exchange(true)) return true;
  respond_problem(call, {409, "import_running", "wait until it is done"});
  return false;
}

/// Requires: begin_import().
void Api::run_import(const Call& call, std::string document, DocumentFormat format, bool dry_run) {
  const auto text = std::make_shared<const std::string>(std::move(document));
  ++tasks_waiting_;
  const auto answer = [this, to = call.request.reply_to, route = call.route, dry_run](const ImportOutcome& outcome) {
    runner_.post([this, to, route, dry_run, outcome] {
      --tasks_waiting_;
      const bool good = outcome.status < 400;
      if (good && !dry_run) app_.publish_catalog();
      app_.importing = false;
      metrics_.count_request(static_cast<std::size_t>(route), outcome.status);
      send(to, {.status = outcome.status,
                .content_type = good ? http::content_type::json : http::content_type::problem,
                .body = outcome.body,
                .fields = no_store});
    });
  };
  const bool posted = app_.pool.try_post([this, text, format, answer, dry_run, now = runner_.now()] {
    if (dry_run) return answer(try_document(app_.engine, app_.config.policy, *text, format, now));
    import_document(app_.engine, app_.config.policy, *text, format, now, answer);
  });
  if (posted) return;
  --tasks_waiting_;
  app_.importing = false;
  respond_overloaded(call);
}

void Api::admin_show(const Call& call, CommandType type) {
  Caller caller;
  if (!authenticate(call, Role::admin, false, caller)) return;
  const std::optional<ShowRef> show = view().find(call.match.parameters[0]);
  if (!show || show->layout == nullptr) return respond_refusal(call, Refusal::unknown_show, call.match.parameters[0]);
  Command command;
  command.type = type;
  command.show = show->row->number;
  command.user = caller.user;
  command.staff = true;
  if (type != CommandType::cancel_show) {
    if (!check_json(call)) return;
    json::Object root = reader_.parse(call.request.body);
    const bool known = read_seats(root, *show->layout, "seat_ids", command);
    root.finish();
    if (Problem problem; !finish_reading(known, problem)) return respond_problem(call, problem);
  }
  submit(call, command, show->row->shard);
}

/// The listing says so too, once the show's own shard has decided it.
void Api::list_as_cancelled(ShowNumber show) {
  Bytes payload;
  engine::encode_entry(engine::ShowStatusChange{show, engine::ShowStatus::cancelled}, payload);
  app_.engine.change_catalog(std::move(payload), [this] { app_.publish_catalog(); });
}

void Api::read_metrics(const Call& call) {
  Caller caller;
  if (!app_.config.metrics.is_public && !app_.config.admin.separate() &&
      !authenticate(call, Role::staff, false, caller))
    return;
  ++tasks_waiting_;
  const bool posted = app_.pool.try_post([this, to = call.request.reply_to, now = runner_.now()] {
    runner_.post([this, to, text = app_.metrics.scrape(now)] {
      --tasks_waiting_;
      send(to, {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = text, .fields = no_store});
    });
  });
  if (posted) return metrics_.count_request(static_cast<std::size_t>(call.route), 200);
  --tasks_waiting_;
  respond_overloaded(call);
}

void Api::read_ready(const Call& call) {
  if (app_.draining) return respond_problem(call, {503, "draining", "the server is shutting down"});
  if (!app_.ready) return respond_problem(call, {503, "not_ready", "recovery is under way"});
  respond(call, {.body = R"({"status":"ready"})", .fields = no_store});
}

void Api::read_index(const Call& call) {
  if (web::accepts_html(call.request.accept) && show_page(call)) return;
  static constexpr std::string_view text =
      "Usher, a seat-reservation server.\n\n"
      "  GET /cities                          where there is something to see\n"
      "  GET /movies?city=...                 what is on today\n"
      "  GET /movies/{id}/showtimes?city=...&date=...\n"
      "  GET /shows/{id}/seats                the seat map\n"
      "  POST /shows/{id}/reserve             {\"seat_ids\": [\"F12\"]} or {\"best_available\": {\"count\": 2}}\n"
      "  POST /bookings                       {\"reservation_id\": \"...\", \"payment_token\": \"pm_card_visa\"}\n"
      "  GET /openapi.json                    all of it\n\n"
      "A tour with curl stands in the README.\n";
  respond(call,
          {.content_type = http::content_type::text, .body = text, .fields = "Cache-Control: public, max-age=60\r\n"});
}

}  // namespace usher::server::api
