#include "server/api/import_diff.hpp"

#include <fmt/format.h>

#include "server/catalog/zones.hpp"

namespace usher::server::api {
namespace {

/// Longer values are told by their beginning.
constexpr std::size_t value_bytes_max = 60;

[[nodiscard]] std::string shown(std::string_view text) {
  if (text.empty()) return "nothing";
  if (text.size() <= value_bytes_max) return "\"" + std::string(text) + "\"";
  std::size_t end = value_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return "\"" + std::string(text.substr(0, end)) + "...\"";
}
[[nodiscard]] std::string shown(std::uint64_t value) {
  return fmt::format("{}", value);
}
[[nodiscard]] std::string shown(const std::optional<engine::Date>& date) {
  return date ? catalog::format_date(*date) : "nothing";
}
[[nodiscard]] std::string shown(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& one : list) text += (text.empty() ? "" : ", ") + one;
  return shown(std::string_view{text});
}

/// Gathers the fields in which two entities differ.
class Changes {
 public:
  template <class T>
  void field(std::string_view name, const T& before, const T& after) {
    if (before == after) return;
    if (!text_.empty()) text_ += "; ";
    text_ += fmt::format("{}: {} becomes {}", name, shown(before), shown(after));
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

[[nodiscard]] std::string changes(const engine::Movie& before, const engine::Movie& after) {
  Changes found;
  found.field("title", before.title, after.title);
  found.field("description", before.description, after.description);
  found.field("duration_minutes", std::uint64_t{before.duration_minutes}, std::uint64_t{after.duration_minutes});
  found.field("genre", before.genre, after.genre);
  found.field("language", before.language, after.language);
  found.field("release_date", before.release_date, after.release_date);
  found.field("rating", before.rating, after.rating);
  found.field("poster_url", before.poster_url, after.poster_url);
  found.field("cast", before.cast, after.cast);
  found.field("keywords", before.keywords, after.keywords);
  found.field("synthetic", before.synthetic, after.synthetic);
  return found.take();
}

[[nodiscard]] std::string changes(const engine::Theater& before, const engine::Theater& after) {
  Changes found;
  found.field("name", before.name, after.name);
  found.field("chain", before.chain, after.chain);
  found.field("city", before.city, after.city);
  found.field("city_id", before.city_id, after.city_id);
  found.field("address", before.address, after.address);
  found.field("latitude", fmt::format("{}", before.latitude_e7 / 1e7), fmt::format("{}", after.latitude_e7 / 1e7));
  found.field("longitude", fmt::format("{}", before.longitude_e7 / 1e7), fmt::format("{}", after.longitude_e7 / 1e7));
  found.field("time_zone", before.time_zone, after.time_zone);
  found.field("synthetic", before.synthetic, after.synthetic);
  return found.take();
}

[[nodiscard]] std::string changes(const engine::Screen& before, const engine::Screen& after) {
  Changes found;
  found.field("name", before.name, after.name);
  found.field("total_seats", std::uint64_t{before.total_seats}, std::uint64_t{after.total_seats});
  found.field("layout", fmt::format("{:016x}", before.layout_hash), fmt::format("{:016x}", after.layout_hash));
  return found.take();
}

struct Difference {
  std::string_view kind;
  std::string id;
  std::string change;
};

[[nodiscard]] Difference difference(const engine::Entity& entity, const engine::CatalogData& data) {
  const auto is_new = std::string{"new"};
  if (const auto* movie = std::get_if<engine::Movie>(&entity)) {
    const std::uint32_t at = data.find_movie(movie->id);
    return {"movie", movie->id, at == engine::position_none ? is_new : changes(data.movie(at), *movie)};
  }
  if (const auto* theater = std::get_if<engine::Theater>(&entity)) {
    const std::uint32_t at = data.find_theater(theater->id);
    return {"theater", theater->id, at == engine::position_none ? is_new : changes(data.theater(at), *theater)};
  }
  if (const auto* screen = std::get_if<engine::Screen>(&entity)) {
    const std::uint32_t at = data.find_screen(screen->id);
    return {"screen", screen->id, at == engine::position_none ? is_new : changes(data.screen(at), *screen)};
  }
  if (const auto* show = std::get_if<engine::ShowListing>(&entity)) return {"show", show->id, is_new};
  return {"show", "", "status"};
}

}  // namespace

void write_differences(json::Writer& json, const engine::ImportPlan& plan, const engine::Snapshot& snapshot) {
  json.key("differences");
  json.begin_array();
  std::size_t told = 0;
  for (const Bytes& payload : plan.payloads) {
    ByteReader reader{payload};
    while (reader.left() > 0 && told < differences_max) {
      const Result<engine::Entity> entity = engine::read_entry(reader);
      if (!entity.ok()) break;
      const Difference found = difference(entity.value(), snapshot.data());
      json.begin_object();
      json.field("kind", found.kind);
      json.field("id", found.id);
      json.field("change", found.change);
      json.end_object();
      ++told;
    }
  }
  json.end_array();
}

}  // namespace usher::server::api
