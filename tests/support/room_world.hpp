#pragma once
/// One shard with guarded shows and their waiting room, for tests: people join, poll, leave and buy in a simulated
/// hall.

#include <map>
#include <string>
#include <vector>

#include "engine/admission/room_actor.hpp"
#include "tests/engine/catalog/halls.hpp"
#include "tests/support/test_shard.hpp"

namespace usher::testing {

class RoomWorld {
 public:
  static constexpr std::uint32_t number = 3;

  explicit RoomWorld(std::uint32_t rows = 10, std::uint32_t row_seats = 20, std::uint32_t shows = 1,
                     Instant at = instant_from_ms(1'000'000))
      : now(at), world(at) {
    engine::ShowTerms terms;
    terms.start = now + std::chrono::hours{1'000};
    terms.end = terms.start + std::chrono::hours{2};
    terms.policy.reservation_ttl = std::chrono::minutes{10};
    terms.policy.cooldown_after_refusals = 0;
    for (std::uint32_t show = 1; show <= shows; ++show) {
      (void)world.open(static_cast<ShowNumber>(show), rectangle(rows, row_seats), terms, now);
      settings.shows.push_back(static_cast<ShowNumber>(show));
    }
    settings.id = "room";
    settings.opens_at = now;
    settings.secret = engine::sha256("a secret");
  }

  void open() {
    world.shared.rooms.note(number, 0, settings.id);
    (void)world.shard.open_room(number, settings, now);
    for (const ShowNumber show : settings.shows) (void)world.shard.guard(show, number, now);
    world.commit();
  }

  Reply ask(CommandType type, std::uint64_t user, const Reply& place = {}) {
    Command command;
    command.type = type;
    command.user = static_cast<UserNumber>(user);
    command.random = mix64(++random_);
    command.sequence = place.sequence;
    command.id_random = place.id_random;
    command.admission.room = number;
    return world.execute(command, now);
  }
  Reply join(std::uint64_t user) { return ask(CommandType::join_queue, user); }
  Reply poll(std::uint64_t user, const Reply& place) { return ask(CommandType::read_queue, user, place); }

  /// Reserves `count` best seats with the admission that `place` has.
  Reply reserve(std::uint64_t user, const Reply& place, std::uint8_t count, std::uint32_t show = 1) {
    Command command;
    command.type = CommandType::reserve_best;
    command.show = static_cast<ShowNumber>(show);
    command.user = static_cast<UserNumber>(user);
    command.random = mix64(++random_);
    command.seat_count = count;
    command.split = true;
    command.admission = {number, place.sequence, place.queue.attempt, place.expires_at};
    return world.execute(command, now);
  }
  /// What the runner does: uses that are durable are told to the room.
  void tell() {
    std::vector<engine::AdmissionUse> uses;
    world.shard.take_uses(uses);
    for (const engine::AdmissionUse& use : uses) {
      Command command;
      command.type = CommandType::note_admission;
      command.user = use.user;
      command.sequence = use.sequence;
      command.seat_count = use.seats;
      command.admission = {use.room, use.sequence, use.attempt, use.until};
      (void)world.execute(command, now);
    }
  }
  void pass(Duration time) {
    world.commit();
    tell();
    now += time;
    world.advance(now);
    world.commit();
  }
  [[nodiscard]] const engine::Room& room() const { return *world.shard.room(number); }

  engine::RoomSettings settings;
  Instant now;
  TestShard world;

 private:
  std::uint64_t random_ = 0;
};

}  // namespace usher::testing
