/// GET /events: the log as a stream of events. Read on the work pool from the hub or the disk; who waits for the next
/// event is asked about on the loop, so that no thread sleeps for them.

#include "server/api/api.hpp"
#include "server/events/cloud_event.hpp"
#include "server/events/event_reader.hpp"

namespace usher::server::api {
namespace {

constexpr std::size_t limit_default = 500;
constexpr std::size_t limit_max = 1'000;
constexpr std::int64_t wait_s_max = 30;
constexpr std::int64_t sse_wait_s = 20;
constexpr std::size_t waiting_max = 200;
constexpr Duration poll_interval{100};

/// Returns: nothing when it is not a whole number from `min` to `max`.
[[nodiscard]] std::optional<std::int64_t> number_of(const std::string& text, std::int64_t min, std::int64_t max) {
  if (text.empty() || text.size() > 4 || text.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  const std::int64_t value = std::stoll(text);
  if (value < min || value > max) return std::nullopt;
  return value;
}

}  // namespace

/// One request for events, from its first look at the log to its answer.
struct Api::EventRun {
  ReplyTo to;
  bool sse = false;
  std::size_t limit = limit_default;
  Instant until{};  ///< wait no longer
  Instant next{};   ///< look again then
  events::LsnCursor cursor;
  std::unique_ptr<events::EventReader> reader;
  std::shared_ptr<const CatalogView> view;
  std::optional<Problem> problem;
  std::string body;
  std::size_t events = 0;

  void read(App& app);
  void write(const std::vector<Record>& records, const events::Facts& facts);
};

void Api::EventRun::read(App& app) {
  std::vector<Record> records;
  const auto count = reader->read(cursor, limit, [&](const Record& record) { records.push_back(record); });
  if (!count) {
    const bool trimmed = count.error().code == ErrorCode::log_trimmed;
    problem = Problem{static_cast<std::uint16_t>(trimmed ? 410 : 500), trimmed ? "log_trimmed" : "internal_error",
                      count.error().detail};
    return;
  }
  events::Facts facts;
  if (!events::look_up(app.engine, records, facts)) {
    problem = Problem{503, "overloaded", "the shards did not answer"};
    return;
  }
  write(records, facts);
}

void Api::EventRun::write(const std::vector<Record>& records, const events::Facts& facts) {
  json::TextBuffer text;
  const std::string behind = events::format_cursor(cursor);
  for (const Record& record : records) {
    for (std::size_t index = 0; index < record.events.size(); ++index) {
      const bool last = &record == &records.back() && index + 1 == record.events.size();
      if (sse) text.append("data: ");
      json::TextBuffer line;
      json::Writer json(line);
      events::write_cloud_event(json, record, index, facts, *view, last ? behind : std::string{});
      text.append(line.view());
      text.append("\n");
      // the id stands for all before it, so only the last event has one: who loses the connection begins this batch
      // anew
      if (sse) text.append(last ? "id: " + behind + "\n\n" : std::string("\n"));
      ++events;
    }
  }
  body = text.view();
}

void Api::list_events(const Call& call) {
  Caller caller;
  if (!authenticate(call, Role::partner, false, caller)) return;
  http::Query query;
  if (!query.parse(call.request.query)) return respond_problem(call, invalid_parameter("query: malformed"));
  auto run = std::make_shared<EventRun>();
  run->to = call.request.reply_to;
  run->sse = call.request.accept.find("text/event-stream") != std::string_view::npos;
  std::int64_t wait_s = run->sse ? sse_wait_s : 0;
  const std::string* from = query.find("from");
  const std::string* limit = query.find("limit");
  const std::string* wait = query.find("wait");
  if (!query.first_unknown().empty()) {
    return respond_problem(call, invalid_parameter(std::string(query.first_unknown()) + ": not known here"));
  }
  if (limit != nullptr) {
    const auto number = number_of(*limit, 1, limit_max);
    if (!number) return respond_problem(call, invalid_parameter("limit: must be a whole number from 1 to 1000"));
    run->limit = static_cast<std::size_t>(*number);
  }
  if (wait != nullptr) {
    const auto number = number_of(*wait, 0, wait_s_max);
    if (!number) return respond_problem(call, invalid_parameter("wait: must be a whole number from 0 to 30"));
    wait_s = *number;
  }
  const std::string_view last_id = http::find_field(call.request, "last-event-id").value_or("");
  auto cursor = events::parse_cursor(!last_id.empty() && run->sse ? last_id
                                     : from == nullptr            ? ""
                                                                  : std::string_view(*from),
                                     app_.engine.shard_count());
  if (!cursor) return respond_problem(call, invalid_parameter("from: not a cursor of ours"));
  if (event_waits_.size() >= waiting_max) return respond_overloaded(call);
  run->cursor = std::move(*cursor);
  run->until = runner_.now() + std::chrono::seconds{wait_s};
  run->reader = std::make_unique<events::EventReader>(*app_.hub, app_.log);
  ++tasks_waiting_;
  start_events(run);
}

void Api::start_events(const std::shared_ptr<EventRun>& run) {
  run->view = view_shared();
  const bool posted = app_.pool.try_post([this, run, &app = app_] {
    run->read(app);
    runner_.post([this, run] { end_events(run); });
  });
  if (posted) return;
  run->problem = Problem{503, "overloaded", "the work pool is full"};
  end_events(run);
}

void Api::end_events(const std::shared_ptr<EventRun>& run) {
  if (!run->problem && run->events == 0 && runner_.now() < run->until && !app_.draining) {
    run->next = runner_.now() + poll_interval;
    event_waits_.push_back(run);
    return;
  }
  --tasks_waiting_;
  metrics_.count_request(static_cast<std::size_t>(Route::list_events), run->problem ? run->problem->status : 200);
  if (run->problem) return respond_problem(run->to, *run->problem);
  const std::string next = events::format_cursor(run->cursor);
  if (run->sse) run->body = "retry: 1000\n" + (run->events == 0 ? "id: " + next + "\n: nothing new\n\n" : run->body);
  fields_ = no_store;
  fields_ += "Usher-Next-Cursor: " + next + "\r\n";
  send(run->to, {.status = 200,
                 .content_type = run->sse ? std::string_view{"text/event-stream"} : http::content_type::ndjson,
                 .body = run->body,
                 .fields = fields_});
}

void Api::poll_events() {
  for (std::size_t i = 0; i < event_waits_.size();) {
    if (event_waits_[i]->next > runner_.now() && !app_.draining) {
      ++i;
      continue;
    }
    const std::shared_ptr<EventRun> run = std::move(event_waits_[i]);
    event_waits_[i] = std::move(event_waits_.back());
    event_waits_.pop_back();
    start_events(run);
  }
}

}  // namespace usher::server::api
