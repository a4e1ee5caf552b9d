#include "server/api/importing.hpp"

#include <fmt/format.h>

#include "server/api/import_diff.hpp"
#include "server/api/problem.hpp"
#include "server/catalog/csv_document.hpp"
#include "server/catalog/document_reader.hpp"
#include "server/json/writer.hpp"

namespace usher::server::api {
namespace {

[[nodiscard]] ImportOutcome refused(const std::vector<engine::PathError>& errors) {
  json::TextBuffer text;
  json::Writer json(text);
  json.begin_object();
  if (errors.front().path == "body") {  // it could not be read at all
    const std::string detail = "body: " + std::string(errors.front().rule);
    http::write_problem_members(json, {400, "malformed_json", title_of("malformed_json"), detail});
    json.end_object();
    return {400, std::string(text.view()), detail};
  }
  http::write_problem_members(json, {422, "invalid_catalog", title_of("invalid_catalog"), "nothing was imported"});
  json.key("errors");
  json.begin_array();
  std::string line = "the catalog document is refused, nothing was imported:";
  std::size_t told = 0;
  for (const engine::PathError& error : errors) {
    json.begin_object();
    json.field("path", error.path);
    json.field("rule", error.rule);
    json.end_object();
    if (told++ < 20) line += fmt::format("\n  {}: {}", error.path, error.rule);
  }
  if (told > 20) line += fmt::format("\n  and {} more", told - 20);
  json.end_array();
  json.end_object();
  return {422, std::string(text.view()), line};
}

void write_count(json::Writer& json, std::string_view name, const engine::ImportCount& count) {
  json.key(name);
  json.begin_object();
  json.field("added", count.added);
  json.field("changed", count.changed);
  json.field("unchanged", count.unchanged);
  json.end_object();
}

/// `before`: tells the differences as well; nullptr: the counts alone.
[[nodiscard]] ImportOutcome summary(const engine::ImportPlan& plan, const engine::Snapshot* before) {
  json::TextBuffer text;
  json::Writer json(text);
  json.begin_object();
  write_count(json, "movies", plan.movie_count);
  write_count(json, "theaters", plan.theater_count);
  write_count(json, "screens", plan.screen_count);
  write_count(json, "shows", plan.show_count);
  json.field("shows_past", plan.past_count);
  if (before != nullptr) write_differences(json, plan, *before);
  json.end_object();
  const auto part = [](const engine::ImportCount& count) {
    return fmt::format("{} new, {} changed, {} as before", count.added, count.changed, count.unchanged);
  };
  return {200, std::string(text.view()),
          fmt::format("movies: {}; theaters: {}; screens: {}; shows: {}, {} past", part(plan.movie_count),
                      part(plan.theater_count), part(plan.screen_count), part(plan.show_count), plan.past_count)};
}

[[nodiscard]] engine::ImportResult plan(engine::Engine& engine, const engine::Snapshot& snapshot, const Policy& policy,
                                        std::string_view document, DocumentFormat format, Instant now) {
  engine::ImportOptions options;
  options.policy = policy;
  options.shard_count = engine.shard_count();
  options.is_open = [&engine](ShowNumber number) { return engine.is_open(number); };
  if (format == DocumentFormat::json) return catalog::plan_document(document, snapshot, now, options);
  const catalog::CsvDocument csv = catalog::read_csv(document);
  if (!csv.errors.empty()) return {{}, csv.errors};
  engine::ImportResult result = catalog::plan_document(csv.json, snapshot, now, options);
  for (engine::PathError& error : result.errors) error.path = catalog::csv_place(csv, error.path);
  return result;
}

}  // namespace

ImportOutcome try_document(engine::Engine& engine, const Policy& policy, std::string_view document,
                           DocumentFormat format, Instant now) {
  const std::shared_ptr<const engine::Snapshot> snapshot = engine.snapshot();
  const engine::ImportResult result = plan(engine, *snapshot, policy, document, format, now);
  return result.ok() ? summary(result.plan, snapshot.get()) : refused(result.errors);
}

void import_document(engine::Engine& engine, const Policy& policy, std::string_view document, DocumentFormat format,
                     Instant now, std::function<void(const ImportOutcome&)> done) {
  engine::ImportResult result = plan(engine, *engine.snapshot(), policy, document, format, now);
  if (!result.ok()) return done(refused(result.errors));
  const ImportOutcome outcome = summary(result.plan, nullptr);
  engine.import(std::move(result.plan), [outcome, done = std::move(done)] { done(outcome); });
}

}  // namespace usher::server::api
