/// `usher replay`: what the log says, as JSON lines.

#include <unistd.h>

#include <cstdio>

#include "engine/admission/room_checkpoint.hpp"
#include "server/api/reply_json.hpp"
#include "server/catalog/zones.hpp"
#include "server/cli/commands.hpp"
#include "server/cli/logging.hpp"
#include "server/cli/replayed.hpp"
#include "server/json/writer.hpp"

namespace usher::server::cli {
namespace {

[[nodiscard]] std::string hex(std::uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

void print(const json::TextBuffer& text) {
  std::printf("%.*s\n", static_cast<int>(text.size()), text.data());
}

/// The wire's words, but that a reservation which lapsed in the middle of a payment is told from one that just expired.
[[nodiscard]] std::string_view state_name(ReservationState state) noexcept {
  return state == ReservationState::lapsed ? "lapsed" : api::reservation_status(state);
}

/// One line per reservation that holds, or held and paid for, seats.
void print_reservations(const Replayed& replayed, const engine::ShardState& state, const engine::Show& show) {
  const std::string show_id = replayed.show_id(show.number);
  for (const engine::Chain& chain : {show.live, show.settled}) {
    for (engine::SlabIndex at = chain.first; at != 0; at = state.reservations[at].next) {
      const engine::Reservation& reservation = state.reservations[at];
      const std::uint32_t gone = reservation.booking == 0 ? 0 : state.bookings[reservation.booking].cancelled;
      const bool holds = reservation.live() || reservation.state == ReservationState::booked;
      json::TextBuffer text;
      json::Writer json(text);
      json.begin_object();
      json.field("reservation_id", Id{IdKind::reservation, show.number, reservation.sequence, reservation.random});
      json.field("show_id", show_id);
      json.key("state");
      json.plain_string(state_name(reservation.state));
      json.field("user_id", hex(to_value(reservation.user)));
      json.key("seat_ids");
      json.begin_array();
      for (std::uint32_t i = 0; i < reservation.seat_count && holds; ++i) {
        if (((gone >> i) & 1U) == 0) json.string(show.layout->label(reservation.seats[i]));
      }
      json.end_array();
      json.field("reserved_at", reservation.reserved_at);
      json.field("expires_at", reservation.expires_at);
      json.end_object();
      print(text);
    }
  }
}

void print_show(const Replayed& replayed, const engine::ShardState& state, engine::SlabIndex index) {
  const engine::Show& show = state.shows[index];
  const engine::SeatPlanes planes = state.planes(show);
  std::uint32_t reserved = 0;
  std::uint32_t booked = 0;
  for (std::uint32_t seat = 0; seat < show.layout->seat_count(); ++seat) {
    const engine::SeatStatus status = planes.status(static_cast<SeatIndex>(seat));
    reserved += status == engine::SeatStatus::reserved ? 1U : 0U;
    booked += status == engine::SeatStatus::booked ? 1U : 0U;
  }
  json::TextBuffer text;
  json::Writer json(text);
  json.begin_object();
  json.field("show_id", replayed.show_id(show.number));
  json.field("show_number", to_value(show.number));
  json.field("shard", std::uint32_t{state.index});
  json.field("lsn", show.lsn);
  json.key("status");
  json.plain_string(to_string(show.status));
  json.field("seats", std::uint32_t{show.layout->seat_count()});
  json.field("available", std::uint32_t{show.free_seats});
  json.field("reserved", reserved);
  json.field("booked", booked);
  json.field("digest", hex(engine::digest_of(state, index, replayed.latest)));
  json.end_object();
  print(text);
}

void print_room(const engine::Shard& shard, const engine::Room& room) {
  json::TextBuffer text;
  json::Writer json(text);
  json.begin_object();
  json.field("room_id", room.settings.id);
  json.field("room_number", room.number);
  json.field("shard", std::uint32_t{shard.index()});
  json.field("lsn", room.lsn);
  json.field("waiting", room.waiting);
  json.field("admitted_now", room.outstanding);
  json.field("admitted", room.admitted_total);
  json.field("finished", room.finished_total);
  json.field("lapsed", room.lapsed_total);
  json.field("left", room.left_total);
  json.field("digest", hex(engine::digest_of(room)));
  json.end_object();
  print(text);
}

void print_summary(const Replayed& replayed, std::uint64_t shows, std::uint64_t digest) {
  json::TextBuffer text;
  json::Writer json(text);
  json.begin_object();
  json.field("shows", shows);
  json.field("shards", static_cast<std::uint64_t>(replayed.shards.size()));
  json.field("records", replayed.records);
  json.field("latest", replayed.latest);
  json.field("catalog_digest", hex(replayed.system->catalog().digest()));
  json.field("digest", hex(digest));
  json.end_object();
  print(text);
}

void show_progress(std::size_t done, std::size_t total) {
  if (::isatty(STDERR_FILENO) == 0) return;
  std::fprintf(stderr, "\rreplaying: %zu of %zu shards%s", done, total, done == total ? "\n" : "");
}

}  // namespace

int replay(const ReplayOptions& options) {
  wal::Until until;
  if (options.until_lsn) until.lsn = *options.until_lsn;
  if (options.until_time) {
    const std::optional<Instant> time = catalog::parse_instant(*options.until_time);
    if (!time) return fail(make_error(ErrorCode::invalid, "--until-time: must be a time such as 2026-11-24T18:30:00Z"));
    until.time = *time;
  }
  auto opened = replay_directory(options.data, until, options.from_checkpoints, show_progress);
  if (!opened) return fail(opened.error());
  const Replayed& replayed = *opened.value();
  std::uint64_t shows = 0;
  std::uint64_t digest = replayed.system->catalog().digest();
  for (const auto& shard : replayed.shards) {
    for (const auto& [number, room] : shard->state().rooms) {
      digest = mix64(digest ^ engine::digest_of(*room));
      if (!options.show) print_room(*shard, *room);
    }
  }
  const std::uint32_t highest = to_value(replayed.system->catalog().highest_number());
  for (std::uint32_t number = 1; number <= highest; ++number) {
    const engine::ShowDirectory::Entry* entry = replayed.shared.directory.find(static_cast<ShowNumber>(number));
    if (entry == nullptr) continue;
    const engine::ShardState& state = replayed.shards[entry->shard.load()]->state();
    const engine::SlabIndex index = entry->slot.load();
    if (options.show && replayed.show_id(static_cast<ShowNumber>(number)) != *options.show) continue;
    ++shows;
    digest = mix64(digest ^ engine::digest_of(state, index, replayed.latest));
    print_show(replayed, state, index);
    if (options.reservations) print_reservations(replayed, state, state.shows[index]);
  }
  if (options.show && shows == 0)
    return fail(make_error(ErrorCode::not_found, "no show " + *options.show + " at that point of the log"));
  print_summary(replayed, shows, digest);
  return 0;
}

}  // namespace usher::server::cli
