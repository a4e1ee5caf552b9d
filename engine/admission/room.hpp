#pragma once
/// The state of one waiting room, as plain data: who came, who stands where, who was let in. Owned by its home shard,
/// touched by that shard's thread only, changed by apply_room_event() alone (but for what is marked volatile).
///
/// A million people take about 75 MB: 40 bytes each for the place, 4 for the spot, 16 to find the user again.
///
/// Invariants (check_room() counts them anew):
/// 1. A waiting place of a room that is not waiting for its draw stands in the line at `spot`; no other place does.
/// 2. `waiting` and `outstanding` are the numbers of waiting and of admitted places.
/// 3. A user has at most one place that is waiting or admitted, and by_user finds the newest one.

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "engine/admission/draw.hpp"
#include "engine/admission/guards.hpp"
#include "engine/admission/line.hpp"
#include "engine/admission/room_settings.hpp"
#include "engine/shard/index_table.hpp"
#include "usher/command.hpp"
#include "usher/record.hpp"

namespace usher::engine {

/// Why a place is over. Numbers are part of the log format.
enum class PlaceEnd : std::uint8_t { none = 0, gave_up = 1, absent = 2, lapsed_twice = 3 };

struct Place {
  UserNumber user = UserNumber::none;
  std::uint64_t random = 0;
  std::uint32_t spot = Line::none;
  std::uint32_t joined = 0;                ///< tenths of a second since the room was made
  std::uint32_t until = 0;                 ///< the same: end of the admission
  std::uint32_t drawn = Line::none;        ///< index in the order drawn
  std::uint32_t seen = 0;                  ///< the same as joined: the last poll. Volatile: 0 after a restart
  PlaceState state = PlaceState::waiting;  ///< waiting, admitted, finished or left
  std::uint8_t attempt = 0;                ///< admissions so far
  std::uint8_t seats = 0;                  ///< finished: how many were reserved
  PlaceEnd end{};
};
static_assert(sizeof(Place) == 40);

/// Places by sequence, at stable addresses.
class PlaceList {
 public:
  static constexpr std::uint32_t part_bits = 12;
  static constexpr std::uint32_t part_size = 1U << part_bits;

  [[nodiscard]] Place& operator[](std::uint32_t at) noexcept { return parts_[at >> part_bits][at & (part_size - 1)]; }
  [[nodiscard]] const Place& operator[](std::uint32_t at) const noexcept {
    return parts_[at >> part_bits][at & (part_size - 1)];
  }
  Place& push() {
    if ((size_ >> part_bits) == parts_.size()) parts_.push_back(std::make_unique<Place[]>(part_size));
    return (*this)[size_++];
  }
  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }
  [[nodiscard]] std::uint32_t part_count() const noexcept { return static_cast<std::uint32_t>(parts_.size()); }
  [[nodiscard]] std::size_t capacity_bytes() const noexcept { return parts_.size() * part_size * sizeof(Place); }

 private:
  std::vector<std::unique_ptr<Place[]>> parts_;
  std::uint32_t size_ = 0;
};

/// Seats of the last 200 who finished.
struct BuyerWindow {
  static constexpr std::uint32_t size = 200;
  std::array<std::uint8_t, size> seats{};
  std::uint32_t count = 0;  ///< in the window
  std::uint32_t next = 0;
  std::uint32_t sum = 0;

  void add(std::uint8_t bought) noexcept {
    sum += bought;
    sum -= seats[next];
    seats[next] = bought;
    next = (next + 1) % size;
    if (count < size) ++count;
  }
};

enum class RoomStatus : std::uint8_t { open, closed, removed };

struct Room {
  std::uint32_t number = 0;
  RoomStatus status = RoomStatus::open;
  bool frozen = false;  ///< the list of the draw is fixed
  bool drawn = false;
  bool sold_out = false;
  RoomSettings settings;
  Instant created{};
  Instant frozen_at{};
  Instant closed_at{};
  Lsn lsn = 0;
  PlaceList places;
  Line line;
  std::vector<std::uint32_t> by_spot;  ///< sequence of who stands or stood there
  IndexTable by_user;                  ///< sequence + 1
  std::deque<std::uint32_t> admitted;  ///< sequences by the end of their admission; may hold some that are over
  std::uint32_t waiting = 0;
  std::uint32_t outstanding = 0;  ///< admitted, and not finished
  std::uint32_t list_count = 0;   ///< registered when the list was frozen
  std::uint32_t list_end = 0;     ///< sequences below may be in the list
  Hash list_hash{};
  std::string beacon;
  BuyerWindow buyers;
  Instant rate_from{};  ///< people admitted since then: rate_used
  std::uint64_t rate_used = 0;
  std::uint64_t admitted_total = 0;
  std::uint64_t finished_total = 0;
  std::uint64_t lapsed_total = 0;
  std::uint64_t left_total = 0;

  // volatile: decides nothing but who is absent
  Instant ready_at{};  ///< since when polls can be heard
  std::uint32_t scan = 0;
  std::array<std::uint32_t, 64> paced{};  ///< admitted per second, by second modulo 64
  std::int64_t paced_second = 0;
  std::vector<const Inventory*> inventories;  ///< of its shows, as far as they are guarded already
  std::vector<std::uint8_t> part_slots;       ///< of each part: where its newest checkpoint row lies, 0 or 1
  std::vector<bool> part_dirty;
  bool to_checkpoint = false;
  std::uint32_t places_expected = 0;  ///< by the checkpoint that it is restored from

  /// A draw decides the order and has not been held: nobody stands in the line.
  [[nodiscard]] bool awaits_draw() const noexcept { return settings.order == QueueOrder::draw && !drawn; }
  [[nodiscard]] std::uint32_t tenths(Instant at) const noexcept {
    return at <= created ? 0 : static_cast<std::uint32_t>((at - created).count() / 100);
  }
  [[nodiscard]] Instant instant_of(std::uint32_t tenths_since) const noexcept {
    return created + Duration{std::int64_t{tenths_since} * 100};
  }
  [[nodiscard]] std::uint32_t find_user(UserNumber user) const noexcept;  ///< sequence, or Line::none
  [[nodiscard]] bool in_list(std::uint32_t sequence) const noexcept;
  void touch(std::uint32_t sequence);
  [[nodiscard]] std::size_t capacity_bytes() const noexcept;
};

/// What the room's tick is told of its shows, and what it makes of it. Logged with every admission.
struct AdmitInputs {
  std::uint32_t free = 0;
  std::uint32_t held = 0;
  std::uint32_t return_permille = 0;
  std::uint32_t returns = 0;          ///< seats expected back while an admission lives
  std::uint32_t seats_per_buyer = 0;  ///< mean, in thousandths
  std::uint32_t seats_spread = 0;     ///< its standard deviation, in thousandths
  std::uint32_t outstanding = 0;
};
void encode(const AdmitInputs& inputs, Bytes& out);

/// Applies an event of a room, live and at replay alike. Trusts no event.
/// Returns: false when it does not fit the state; nothing has changed then.
[[nodiscard]] bool apply_room_event(Room& room, const Record& record, const Event& event);
/// Applies `room_opened` to a new room.
[[nodiscard]] bool open_room(Room& room, const Record& record, const Event& event);

/// One line for each rule that is broken.
[[nodiscard]] std::vector<std::string> check_room(const Room& room);

}  // namespace usher::engine
