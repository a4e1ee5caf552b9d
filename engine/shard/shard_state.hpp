#pragma once
/// ShardState: everything that one shard remembers, with the tables that find it. Plain storage: what may happen to it
/// is ShowActor's business. For the shard's thread only.

#include <array>
#include <cstdint>
#include <vector>

#include "engine/shard/index_table.hpp"
#include "engine/shard/plane_arena.hpp"
#include "engine/shard/show_directory.hpp"
#include "engine/shard/slab.hpp"
#include "engine/shard/timer_wheel.hpp"
#include "engine/show/show_state.hpp"

namespace usher::engine {

/// What all shards of a process share; all of it is thread-safe.
struct SharedTables {
  LayoutTable layouts;
  SaleTermsTable terms;
  ShowDirectory directory;
};

/// One user in one shard.
struct Person {
  UserNumber user = UserNumber::none;
  SlabIndex bookings = 0;  ///< newest first
  std::uint32_t live_keys = 0;
};

/// A show's seats as the log has them durable, kept while memory is ahead of it (DESIGN 4.3). The newest durable state
/// is `durable`; when a round with changes of the show has been sealed and the show changes again before it is durable,
/// `sealed` keeps what will be true when that round is.
struct SeatImage {
  struct State {
    std::uint64_t* planes = nullptr;
    Lsn lsn = 0;
    std::uint32_t free_seats = 0;
    ShowStatus status = ShowStatus::scheduled;
  };
  State durable;
  State sealed;
  bool in_sealed_round = false;
};

/// A booking that lost tickets: what an offline gate must learn.
struct Revoked {
  Lsn lsn = 0;  ///< of the cancellation, or later where a checkpoint has forgotten it
  SlabIndex reservation = 0;
};

/// Counts refused tries of a user on a show within a minute. Forgets on purpose: a limit, not state.
struct RefusalCounter {
  std::uint64_t who = 0;
  Instant since{};
  std::uint32_t count = 0;
};

struct ShardState {
  ShardState(ShardIndex shard_index, SharedTables& shared_tables, Instant now)
      : index(shard_index), shared(shared_tables), wheel(now), born(now) {}
  ShardState(const ShardState&) = delete;
  ShardState& operator=(const ShardState&) = delete;

  static constexpr Duration key_lifetime{std::chrono::hours{24}};
  /// How long an expired reservation is remembered so that its owner hears 410 and not 404.
  static constexpr Duration expired_memory{std::chrono::minutes{10}};

  ShardIndex index;
  SharedTables& shared;
  TimerWheel wheel;
  Instant born;  ///< what was over by then is not remembered at replay: expired reservations, old keys
  PlaneArena arena;
  Slab<Show> shows;
  Slab<Reservation> reservations;
  Slab<Booking> bookings;
  Slab<Refund> refunds;
  Slab<TicketUse> uses;
  Slab<UserOnShow> users;
  Slab<Person> people;
  Slab<IdempotencyEntry> keys;
  Slab<SeatImage> images;
  IndexTable by_sequence;
  IndexTable by_user_on_show;
  IndexTable by_person;
  IndexTable by_key;
  std::vector<Revoked> revoked;  ///< bookings with cancelled tickets, by ascending LSN
  std::array<RefusalCounter, 1024> refusal_counters{};
  Instant last_now{};  ///< of the newest record, or of the checkpoint that it was restored from

  // hashes of the tables
  [[nodiscard]] static std::uint64_t sequence_hash(SlabIndex show, std::uint32_t sequence) noexcept {
    return mix64((std::uint64_t{show} << 24U) | sequence);
  }
  [[nodiscard]] static std::uint64_t user_hash(SlabIndex show, UserNumber user) noexcept {
    return mix64(to_value(user) ^ mix64(show));
  }

  [[nodiscard]] SlabIndex find_show(ShowNumber number) const noexcept;
  [[nodiscard]] SlabIndex find_reservation(SlabIndex show, std::uint32_t sequence) const noexcept;
  [[nodiscard]] SlabIndex find_user(SlabIndex show, UserNumber user) const noexcept;
  [[nodiscard]] SlabIndex find_person(UserNumber user) const noexcept;
  [[nodiscard]] SlabIndex find_key(const IdempotencyTag& tag) const noexcept;

  [[nodiscard]] SlabIndex make_user(SlabIndex show, UserNumber user);
  [[nodiscard]] SlabIndex make_person(UserNumber user);
  /// Frees the entry when nothing is left to remember in it.
  void tidy_user(SlabIndex user_on_show, Instant now);
  void tidy_person(SlabIndex person);
  /// Removes an idempotency key from wherever it is listed, the wheel included.
  void forget_key(SlabIndex key);

  [[nodiscard]] SeatPlanes planes(const Show& show) const noexcept { return {show.planes, show.layout->seat_count()}; }
  [[nodiscard]] std::uint32_t plane_words(const Show& show) const noexcept {
    return SeatPlanes::words_for(show.layout->seat_count()) * SeatPlanes::plane_count;
  }
  [[nodiscard]] std::size_t capacity_bytes() const noexcept;
};

// Here, since every decision asks them several times.
inline SlabIndex ShardState::find_show(ShowNumber number) const noexcept {
  const ShowDirectory::Entry* entry = shared.directory.find(number);
  if (entry == nullptr || entry->shard.load(std::memory_order_relaxed) != index) return 0;
  return entry->slot.load(std::memory_order_relaxed);  // relaxed: written by this thread, or before the thread began
}

inline SlabIndex ShardState::find_reservation(SlabIndex show, std::uint32_t sequence) const noexcept {
  return by_sequence.find(sequence_hash(show, sequence), [&](SlabIndex candidate) {
    const Reservation& reservation = reservations[candidate];
    return reservation.show == show && reservation.sequence == sequence;
  });
}

inline SlabIndex ShardState::find_user(SlabIndex show, UserNumber user) const noexcept {
  return by_user_on_show.find(user_hash(show, user), [&](SlabIndex candidate) {
    return users[candidate].show == show && users[candidate].user == user;
  });
}

// Chains of reservations.
void chain_append(Slab<Reservation>& slab, Chain& chain, SlabIndex index);
void chain_remove(Slab<Reservation>& slab, Chain& chain, SlabIndex index);

}  // namespace usher::engine
