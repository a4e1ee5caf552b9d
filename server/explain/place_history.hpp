#pragma once
/// PlaceHistory: what became of one person's place in a waiting room, record by record: the room's shard is replayed,
/// and looked at after every record of the room. For one thread, beside the living shards.

#include <vector>

#include "engine/shard/shard.hpp"

namespace usher::server::explain {

/// `what`: joined, drawn, admitted, lapsed (back to the tail), finished (seats were reserved), gave_up, absent,
/// lapsed_twice; of the room: sold_out, seats_again, room_closed.
struct PlaceEvent {
  std::string_view what;  ///< a literal
  Lsn lsn = 0;
  Instant at{};
  std::uint64_t admitted = 0;  ///< people whom the room had let in by then, this one included
};

class PlaceHistory final : public ReplayTarget {
 public:
  PlaceHistory(std::uint32_t room, ShardIndex shard, UserNumber user)
      : room_(room), user_(user), past_(shard, shared_, Instant{}) {}

  [[nodiscard]] Status restore(const CheckpointRow& row) override { return past_.restore(row); }
  [[nodiscard]] Status replay(const Record& record) override;

  [[nodiscard]] const std::vector<PlaceEvent>& events() const noexcept { return events_; }
  /// 1 for the first, by arrival or by the draw; 0: never joined, or the draw is still to come.
  [[nodiscard]] std::uint32_t place() const noexcept { return place_; }
  /// As the log left it. Null: the log does not know the room.
  [[nodiscard]] const engine::Room* room() const noexcept { return past_.room(room_); }

 private:
  void look(const Record& record, const engine::Room& room);
  void look(const Record& record, const engine::Room& room, std::uint32_t sequence, const engine::Place& place);
  void note(const Record& record, std::string_view what);

  const std::uint32_t room_;
  const UserNumber user_;
  engine::SharedTables shared_;
  engine::Shard past_;
  std::vector<PlaceEvent> events_;
  std::uint32_t place_ = 0;
  std::uint32_t sequence_ = engine::Line::none;
  bool drawn_ = false;
  bool sold_out_ = false;
  engine::RoomStatus status_ = engine::RoomStatus::open;
  std::uint8_t attempt_ = 0;
  PlaceState state_ = PlaceState::waiting;
};

}  // namespace usher::server::explain
