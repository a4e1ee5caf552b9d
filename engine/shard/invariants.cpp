#include "engine/shard/invariants.hpp"

#include <map>

#include "engine/booking/refund_policy.hpp"
#include "engine/show/show_actor.hpp"

namespace usher::engine {
namespace {

/// Looks at one show. Each function checks one kind of rule and adds a line for each that is broken.
class ShowCheck {
 public:
  ShowCheck(const ShardState& state, SlabIndex index, std::vector<std::string>& broken)
      : state_(state),
        show_(state.shows[index]),
        index_(index),
        broken_(broken),
        reserved_(words()),
        booked_(words()),
        owner_(show_.layout->seat_count(), 0) {}

  void run() {
    check_live();
    check_settled();
    check_planes();
    check_users();
    check_keys();
  }

 private:
  [[nodiscard]] std::size_t words() const noexcept { return SeatPlanes::words_for(show_.layout->seat_count()); }

  void require(bool holds, const std::string& rule, SlabIndex reservation = 0) {
    if (holds) return;
    std::string line = "show " + std::to_string(to_value(show_.number));
    if (reservation != 0) line += " reservation " + std::to_string(state_.reservations[reservation].sequence);
    broken_.push_back(line + ": " + rule);
  }

  /// Visits a chain and checks its links. A chain longer than all reservations is a ring.
  template <class Visit>
  void walk(const Chain& chain, Visit&& visit) {
    SlabIndex previous = 0;
    std::uint32_t left = state_.reservations.size();
    for (SlabIndex at = chain.first; at != 0; at = state_.reservations[at].next) {
      const Reservation& r = state_.reservations[at];
      if (left-- == 0) return require(false, "a chain of reservations is a ring");
      require(r.previous == previous, "its chain is broken", at);
      require(r.show == index_, "it hangs on another show", at);
      require(state_.find_reservation(index_, r.sequence) == at, "its sequence does not find it", at);
      visit(at, r);
      previous = at;
    }
    require(chain.last == previous, "the end of a chain is wrong");
  }

  /// Notes who has the seats at the positions of `mask`.
  void own(SlabIndex at, const Reservation& r, std::uint32_t mask, std::vector<std::uint64_t>& plane) {
    for (std::uint32_t position = 0; position < r.seat_count; ++position) {
      if (((mask >> position) & 1U) == 0) continue;
      const SeatIndex seat = r.seats[position];
      if (seat >= owner_.size()) return require(false, "it names a seat that the show does not have", at);
      require(owner_[seat] == 0, "seat " + std::to_string(seat) + " is sold twice", at);
      owner_[seat] = at;
      SeatPlanes::set(plane, seat);
    }
  }

  void check_live() {
    walk(show_.live, [&](SlabIndex at, const Reservation& r) {
      require(r.live(), "it hangs among the living and is not", at);
      require(r.booking == 0, "it is not paid and has a booking", at);
      require(r.timer != 0, "it has no timer", at);
      require(show_.earliest <= deadline_of(state_, r), "it dies before the show's earliest", at);
      require(r.on_show != 0 && state_.users[r.on_show].user == r.user, "it hangs on another user", at);
      ++live_of_[r.on_show];
      own(at, r, r.all_mask(), reserved_);
    });
  }

  void check_settled() {
    walk(show_.settled, [&](SlabIndex at, const Reservation& r) {
      const bool money = r.state == ReservationState::booked || r.state == ReservationState::cancelled ||
                         r.state == ReservationState::refunded;
      require(money || r.state == ReservationState::lapsed, "it hangs among the settled and is not", at);
      require(money == (r.booking != 0), "money and booking do not go together", at);
      require(r.timer == 0 && r.on_show == 0, "it is settled and still lives", at);
      if (r.booking != 0) check_booking(at, r, state_.bookings[r.booking]);
    });
  }

  void check_booking(SlabIndex at, const Reservation& r, const Booking& b) {
    const std::uint32_t valid = r.all_mask() & ~b.cancelled;
    require((b.cancelled & ~r.all_mask()) == 0, "it cancels seats that it does not have", at);
    require((valid != 0) == (r.state == ReservationState::booked), "booked, and no valid ticket, or the reverse", at);
    own(at, r, valid, booked_);
    std::uint32_t used = 0;
    for (SlabIndex use = b.uses; use != 0; use = state_.uses[use].next) {
      require(state_.uses[use].position < r.seat_count, "a ticket was used that it does not have", at);
      if (state_.uses[use].in_at != Instant{}) used |= 1U << state_.uses[use].position;
    }
    require(used == b.used, "used tickets and their uses do not agree", at);
    std::uint32_t refunded = 0;
    std::uint32_t count = 0;
    bool owed = false;
    std::int64_t accounted = price_of(r, b, valid);
    for (SlabIndex refund = b.refunds; refund != 0; refund = state_.refunds[refund].next) {
      const Refund& given = state_.refunds[refund];
      require((given.mask & refunded) == 0, "a seat is refunded twice", at);
      require(given.amount == refund_of(r, b, given), "a refund is not its percentage of the prices", at);
      require(given.number == b.refund_count - count, "refunds are not numbered", at);
      refunded |= given.mask;
      accounted += price_of(r, b, given.mask);  // refunded or owed, and what the policy retains
      owed = owed || given.state != Refund::State::settled;
      if (++count > limits::seats_per_request_max) return require(false, "more refunds than seats", at);
    }
    require(refunded == b.cancelled && count == b.refund_count, "cancelled seats and refunds do not agree", at);
    require(accounted == b.captured, "captured is not prices + refunded + owed + retained", at);
    if (valid == 0) require(owed == (r.state == ReservationState::cancelled), "refunded and owed do not agree", at);
  }

  [[nodiscard]] std::int64_t price_of(const Reservation& r, const Booking& b, std::uint32_t mask) const {
    std::int64_t sum = 0;
    for (std::uint32_t position = 0; position < r.seat_count; ++position) {
      if (((mask >> position) & 1U) != 0) sum += b.terms->price(show_.layout->type(r.seats[position]));
    }
    return sum;
  }
  [[nodiscard]] std::int64_t refund_of(const Reservation& r, const Booking& b, const Refund& refund) const {
    std::int64_t sum = 0;
    for (std::uint32_t position = 0; position < r.seat_count; ++position) {
      if (((refund.mask >> position) & 1U) == 0) continue;
      sum += refund_amount(b.terms->price(show_.layout->type(r.seats[position])), refund.percent);
    }
    return sum;
  }

  void check_planes() {
    SeatPlanes planes = state_.planes(show_);
    std::uint32_t free = 0;
    for (std::uint32_t word = 0; word < words(); ++word) {
      const std::uint64_t blocked = planes.blocked()[word];
      require(planes.reserved()[word] == reserved_[word], "the reserved seats are not those of the reservations");
      require(planes.booked()[word] == booked_[word], "the booked seats are not those of the valid tickets");
      require((blocked & (reserved_[word] | booked_[word])) == 0, "a blocked seat is sold");
      const std::uint32_t left = show_.layout->seat_count() - word * 64;
      require(left >= 64 || (blocked >> left) == 0, "a seat beyond the last one is blocked");
      free += static_cast<std::uint32_t>(std::popcount(planes.available_word(word, show_.layout->seat_count())));
    }
    require(free == show_.free_seats,
            "it counts " + std::to_string(show_.free_seats) + " free seats and has " + std::to_string(free));
  }

  void check_users() {
    SlabIndex previous = 0;
    for (SlabIndex at = show_.users; at != 0; at = state_.users[at].next) {
      const UserOnShow& user = state_.users[at];
      require(user.previous == previous && user.show == index_, "its chain of users is broken");
      require(state_.find_user(index_, user.user) == at, "a user is not found");
      require(user.live == live_of_[at], "a user's live reservations are miscounted");
      live_of_.erase(at);
      previous = at;
    }
    require(live_of_.empty(), "a reservation hangs on a user that the show does not have");
  }

  void check_keys() {
    SlabIndex previous = 0;
    for (SlabIndex at = show_.keys; at != 0; at = state_.keys[at].next) {
      const IdempotencyEntry& entry = state_.keys[at];
      require(entry.previous == previous && entry.show == index_, "its chain of keys is broken");
      require(state_.find_key(entry.tag) == at, "a key is not found");
      const SlabIndex reservation = state_.find_reservation(index_, entry.effect.sequence);
      const bool linked = reservation != 0 && state_.reservations[reservation].key == at;
      require(linked == entry.in_flight, "a key in flight and its payment do not agree", reservation);
      previous = at;
    }
  }

  const ShardState& state_;
  const Show& show_;
  SlabIndex index_;
  std::vector<std::string>& broken_;
  std::vector<std::uint64_t> reserved_;  ///< counted anew
  std::vector<std::uint64_t> booked_;
  std::vector<SlabIndex> owner_;  ///< by seat
  std::map<SlabIndex, std::uint32_t> live_of_;
};

void check_people(const ShardState& state, std::vector<std::string>& broken) {
  std::map<UserNumber, std::uint32_t> keys;
  state.keys.for_each([&](const IdempotencyEntry& entry) { ++keys[entry.user]; });
  std::uint32_t bookings = 0;
  state.people.for_each([&](const Person& person) {
    const std::string who = "user " + std::to_string(to_value(person.user)) + ": ";
    if (person.live_keys != keys[person.user]) broken.push_back(who + "live keys are miscounted");
    keys.erase(person.user);
    SlabIndex newer = 0;
    for (SlabIndex at = person.bookings; at != 0 && bookings <= state.bookings.size(); ++bookings) {
      const Reservation& r = state.reservations[at];
      if (r.user != person.user || r.booking == 0) return broken.push_back(who + "a booking is somebody else's");
      if (state.bookings[r.booking].user_previous != newer) broken.push_back(who + "the chain of bookings is broken");
      newer = at;
      at = state.bookings[r.booking].user_next;
    }
  });
  std::uint32_t expected = 0;
  state.bookings.for_each([&](const Booking& booking) { expected += booking.seats_lost ? 0U : 1U; });
  if (bookings != expected) broken.push_back("bookings of users and bookings do not agree");
  std::erase_if(keys, [](const auto& entry) { return entry.second == 0; });
  if (!keys.empty()) broken.push_back("a key belongs to nobody");
}

}  // namespace

std::vector<std::string> check_invariants(const ShardState& state) {
  std::vector<std::string> broken;
  state.shows.for_each([&](const Show& show) { ShowCheck(state, state.find_show(show.number), broken).run(); });
  check_people(state, broken);
  return broken;
}

}  // namespace usher::engine
