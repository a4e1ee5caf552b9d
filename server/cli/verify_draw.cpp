/// `usher verify-draw`: recomputes everybody's place in the draw of a waiting room from what was published.

#include <fmt/format.h>

#include <fstream>
#include <map>
#include <sstream>

#include "engine/admission/draw.hpp"
#include "server/cli/commands.hpp"
#include "server/cli/logging.hpp"
#include "server/json/reader.hpp"
#include "usher/ids.hpp"
#include "usher/limits.hpp"

namespace usher::server::cli {
namespace {

constexpr std::size_t page_bytes_max = std::size_t{64} << 20U;

struct Published {
  std::string commitment;
  std::string list_hash;
  std::string secret;
  std::string beacon;
  std::int64_t list_count = 0;
  std::map<std::uint32_t, std::pair<engine::DrawEntry, std::int64_t>> entries;  ///< by sequence, with the place told
};

[[nodiscard]] std::string hex(const engine::Hash& hash) {
  return fmt::format("{:02x}", fmt::join(hash, ""));
}

[[nodiscard]] bool read_hash(std::string_view text, engine::Hash& hash) {
  if (text.size() != 2 * hash.size()) return false;
  constexpr std::string_view digits = "0123456789abcdef";
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::size_t value = digits.find(text[at]);
    if (value == std::string_view::npos) return false;
    hash[at / 2] = static_cast<std::uint8_t>(at % 2 == 0 ? value << 4U : hash[at / 2] | value);
  }
  return true;
}

/// Adds one page. Every page must tell the same about the draw as a whole.
[[nodiscard]] Status read_page(const std::string& text, Published& to) {
  json::Reader reader(page_bytes_max);
  Published page;
  json::Object root = reader.parse_copy(text);
  (void)root.string("room_id", {1, limits::external_id_bytes_max});
  static constexpr std::array<std::string_view, 1> algorithms{"usher draw 1"};
  (void)root.one_of("algorithm", algorithms);
  page.commitment = root.string("commitment", {64, 64});
  (void)root.boolean("frozen");
  if (!root.boolean("drawn") && reader.ok()) return make_error(ErrorCode::invalid, "the draw has not been held yet");
  page.list_hash = root.string("list_hash", {64, 64});
  page.list_count = root.integer("list_count", 0, limits::places_per_room_max);
  page.secret = root.string("secret", {64, 64});
  page.beacon = root.string("beacon", {0, 4'096});
  json::Array entries = root.array("entries", 0, limits::places_per_room_max);
  while (entries.next()) {
    json::Object entry = entries.object();
    const std::optional<Id> id = parse_id(entry.string("queue_id", {36, 36}), IdKind::room);
    const std::int64_t place = entry.integer("place", 1, limits::places_per_room_max);
    if (!id) entry.fail("queue_id", "must be the id of a place");
    if (id) to.entries[id->sequence] = {{id->sequence, id->random}, place};
    entry.finish();
  }
  (void)root.optional_integer("next", 0, limits::places_per_room_max);
  root.finish();
  if (!reader.ok()) return make_error(ErrorCode::invalid, std::string(reader.error()));
  const bool agrees = to.commitment.empty() ||
                      (to.commitment == page.commitment && to.list_hash == page.list_hash && to.secret == page.secret &&
                       to.beacon == page.beacon && to.list_count == page.list_count);
  if (!agrees) return make_error(ErrorCode::invalid, "it is a page of another draw than the one before");
  page.entries = std::move(to.entries);
  to = std::move(page);
  return Done{};
}

/// Returns: how many things are wrong; each is printed.
[[nodiscard]] std::size_t check(const Published& draw, const std::string& queue_id) {
  std::size_t wrong = 0;
  const auto require = [&wrong](bool holds, const std::string& what) {
    if (!holds && ++wrong <= 20) fmt::print("WRONG {}\n", what);
    return holds;
  };
  engine::Hash secret{};
  if (!require(read_hash(draw.secret, secret), "the secret is not 64 hex digits")) return wrong;
  require(hex(engine::commitment_of(secret)) == draw.commitment, "the secret is not the one that was committed to");
  require(static_cast<std::int64_t>(draw.entries.size()) == draw.list_count,
          fmt::format("{} of {} entries are here: give all pages", draw.entries.size(), draw.list_count));
  engine::ListHash list;
  std::vector<const std::pair<engine::DrawEntry, std::int64_t>*> in_order;
  for (const auto& [sequence, entry] : draw.entries) {
    list.add(entry.first);
    in_order.push_back(&entry);
  }
  const engine::Hash list_hash = list.finish();
  require(hex(list_hash) == draw.list_hash, "the list is not the one whose hash was published");
  const std::vector<std::uint32_t> order =
      engine::draw_order(engine::seed_of(secret, list_hash, draw.beacon), static_cast<std::uint32_t>(in_order.size()));
  for (std::uint32_t place = 0; place < order.size(); ++place) {
    const auto& [entry, told] = *in_order[order[place]];
    require(told == std::int64_t{place} + 1,
            fmt::format("entry {}: was given place {}, the draw says {}", entry.sequence, told, place + 1));
  }
  if (queue_id.empty()) return wrong;
  const std::optional<Id> id = parse_id(queue_id, IdKind::room);
  const auto found = id ? draw.entries.find(id->sequence) : draw.entries.end();
  const bool listed = found != draw.entries.end() && found->second.first.random == id->random;
  if (require(listed, "that place is not in the list")) fmt::print("{} has place {}\n", queue_id, found->second.second);
  return wrong;
}

}  // namespace

int verify_draw(const VerifyDrawOptions& options) {
  Published draw;
  for (const std::string& file : options.files) {
    std::ifstream in(file, std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) return fail(make_error(ErrorCode::io, "cannot read " + file));
    if (const Status status = read_page(text.str(), draw); !status) {
      return fail(make_error(ErrorCode::invalid, file + ": " + status.error().detail));
    }
  }
  const std::size_t wrong = check(draw, options.queue_id);
  fmt::print("{} places recomputed: {}\n", draw.entries.size(),
             wrong == 0 ? "the draw is right" : fmt::format("{} things are WRONG", wrong));
  return wrong == 0 ? 0 : 1;
}

}  // namespace usher::server::cli
