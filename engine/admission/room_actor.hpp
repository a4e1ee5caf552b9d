#pragma once
/// RoomActor: the single writer of one waiting room. A view made for one command or tick; for the thread of the room's
/// home shard. It asks no show: what the shows have left comes as facts with the tick, and that an admission was used
/// comes as a command from the show (at least once; said again it changes nothing).

#include "engine/admission/room.hpp"

namespace usher::engine {

/// The shows' seats as the tick finds them.
struct RoomFacts {
  std::uint32_t shows = 0;  ///< that sell; 0: nothing is known or nothing is sold
  std::uint32_t free = 0;
  std::uint32_t held = 0;
  std::uint32_t return_permille = 0;
};
[[nodiscard]] RoomFacts facts_of(const Room& room, Instant now) noexcept;

class RoomActor {
 public:
  /// How often rooms look at their shows.
  static constexpr Duration tick_interval{200};
  /// A message that an admission was used may take so long: only then has it lapsed.
  static constexpr Duration message_grace{std::chrono::seconds{2}};
  /// A closed room is remembered for so long.
  static constexpr Duration closed_memory{std::chrono::hours{24}};
  /// People of one admit record, so that it costs a loop less than 50 us.
  static constexpr std::uint32_t admitted_per_record_max = 1'000;
  /// So many buyers make a measurement; before, seats_per_buyer is what was assumed.
  static constexpr std::uint32_t buyers_min = 20;

  /// `record` has its header filled in and no events.
  RoomActor(Room& room, Record& record) noexcept : room_(room), record_(record) {}

  void decide(const Command& command, Reply& reply);
  /// Lets people in, ends what has lapsed, freezes and draws when it is time.
  void tick(const RoomFacts& facts);
  void change(const RoomSettings& settings);
  void close();
  /// Returns: false when there is nothing to draw, or the list is not frozen yet.
  [[nodiscard]] bool draw(std::string_view beacon);

  /// How many the inputs allow to be let in: max(0, (free + returns) / seats per buyer - outstanding). A single seat
  /// is enough for one person.
  [[nodiscard]] static std::uint32_t allowed(const AdmitInputs& inputs) noexcept;
  [[nodiscard]] static AdmitInputs inputs_of(const Room& room, const RoomFacts& facts) noexcept;

 private:
  void join(const Command& command, Reply& reply);
  void leave(const Command& command, Reply& reply);
  void note(const Command& command, Reply& reply);
  [[nodiscard]] Refusal find(const Command& command, std::uint32_t& sequence) const noexcept;
  void fill(Reply& reply, std::uint32_t sequence) const noexcept;
  void estimate(QueuePlace& place) const noexcept;
  void end_admissions();
  void end_absent();
  void admit(const RoomFacts& facts);
  void freeze();
  [[nodiscard]] std::uint32_t rate_allows() const noexcept;
  [[nodiscard]] bool record_full() const noexcept {
    return record_.events.size() >= limits::bulk_events_per_record_max;
  }
  [[nodiscard]] Event event_of(EventType type, std::uint32_t sequence = 0) const noexcept;
  void emit(const Event& event);
  void emit_text(EventType type, const Bytes& text);

  Room& room_;
  Record& record_;
};

}  // namespace usher::engine
