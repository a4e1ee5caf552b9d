#pragma once
/// The reference model: what must be true of the shows, told by nothing but the rules. Obvious and slow: vectors that
/// are searched from the front, a copy of a show's state after every record. It shares nothing with engine/ but the
/// vocabulary of include/usher. For one thread.
///
/// Operation: every record that the program appends is applied here at once, and must be allowed (apply_record()). The
/// moments after each record are kept, so that an answer which names an LSN can be held against the state of then
/// (judge.hpp), and so that a crash can roll back to what the disk kept (roll_back()).

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/sim/counters.hpp"
#include "usher/command.hpp"
#include "usher/policy.hpp"
#include "usher/record.hpp"

namespace usher::sim {

/// What a show is, as it was opened.
struct Facts {
  ShowNumber number = ShowNumber::none;
  ShardIndex shard = 0;
  std::string seats;         ///< a letter each: S P A C O
  std::vector<bool> joined;  ///< to the next seat
  std::int64_t price_standard = 0;
  std::int64_t price_premium = 0;
  Instant start{};
  Instant end{};
  Policy policy;

  [[nodiscard]] std::int64_t price(SeatIndex seat) const noexcept {
    return seats[seat] == 'P' ? price_premium : price_standard;
  }
  [[nodiscard]] bool joined_left(SeatIndex seat) const noexcept { return seat > 0 && joined[seat - 1U]; }
};

struct Repayment {
  enum class State : std::uint8_t { owed, settled, failed };
  std::uint32_t number = 0;
  std::int64_t amount = 0;
  std::uint32_t mask = 0;
  State state = State::owed;
};

/// The entry and the exit of a ticket that count.
struct Use {
  Instant in_at{};  ///< the epoch: none
  Instant out_at{};
  std::uint64_t in_nonce = 0;
  std::uint64_t out_nonce = 0;
  std::string gate;

  [[nodiscard]] bool entered() const noexcept { return in_at != Instant{}; }
  [[nodiscard]] bool inside() const noexcept { return entered() && out_at < in_at; }
};
/// What a scan is to a ticket.
enum class Scan : std::uint8_t {
  counts,    ///< somebody goes in or out
  replaces,  ///< an entry before the one that counted until now
  repeats,   ///< the same scan again
  refused    ///< a second one on one ticket
};
[[nodiscard]] Scan scan_of(const Use& use, bool exit, Instant at, std::uint64_t nonce) noexcept;

/// A reservation, whatever became of it.
struct Held {
  std::uint32_t sequence = 0;
  std::uint64_t random = 0;
  UserNumber user = UserNumber::none;
  std::vector<SeatIndex> seats;
  Instant reserved_at{};
  Instant expires_at{};
  Instant expired_at{};  ///< when its expiry was logged
  std::int64_t amount = 0;
  std::uint32_t attempt = 0;
  ReservationState state = ReservationState::reserved;
  IdempotencyTag payment_key;  ///< of the payment in flight
  bool paid = false;
  bool seats_lost = false;
  std::uint64_t ticket_random = 0;
  Instant booked_at{};
  std::string payment;
  std::uint32_t cancelled = 0;
  std::vector<Repayment> repayments;
  std::map<unsigned, Use> uses;  ///< by the ticket's position

  [[nodiscard]] std::uint32_t used_mask() const noexcept;
  [[nodiscard]] bool live() const noexcept {
    return state == ReservationState::reserved || state == ReservationState::paying;
  }
  [[nodiscard]] std::uint32_t all_mask() const noexcept {
    return static_cast<std::uint32_t>((std::uint64_t{1} << seats.size()) - 1);
  }
  [[nodiscard]] std::int64_t repaid() const noexcept;
};
using HeldPtr = std::shared_ptr<const Held>;

struct Visitor {
  UserNumber user = UserNumber::none;
  std::uint32_t abandoned = 0;
  Instant cooldown_until{};
};

/// What is said again to who asks again.
struct Remembered {
  IdempotencyTag tag;
  UserNumber user = UserNumber::none;
  Instant created{};
  bool in_flight = false;
  Lsn lsn = 0;
  Event effect;
  HeldPtr held;  ///< as it was after the effect; null when the reservation was gone by then
};

enum class Stage : std::uint8_t { scheduled, cancelled, completed };

struct ShowState {
  Lsn lsn = 0;
  Stage stage = Stage::scheduled;
  std::vector<bool> blocked;
  std::vector<HeldPtr> held;
  std::vector<Visitor> visitors;
  std::vector<std::shared_ptr<const Remembered>> keys;

  [[nodiscard]] const Held* find(std::uint32_t sequence) const noexcept;
  [[nodiscard]] Held& change(std::uint32_t sequence);
  [[nodiscard]] const Visitor* visitor(UserNumber user) const noexcept;
  [[nodiscard]] Visitor& make_visitor(UserNumber user);
  [[nodiscard]] const Remembered* key(const IdempotencyTag& tag) const noexcept;
  /// The seat's owner, if a living reservation or a valid ticket has it.
  [[nodiscard]] const Held* owner(SeatIndex seat) const noexcept;
  [[nodiscard]] bool free(SeatIndex seat) const noexcept { return !blocked[seat] && owner(seat) == nullptr; }
  [[nodiscard]] bool all_free(const Held& held) const noexcept;
  [[nodiscard]] std::uint32_t live_of(UserNumber user) const noexcept;
};

/// A show right after one of its records.
struct Moment {
  ShowState state;
  Record record;
};

/// What the gateway knows, for the rules that depend on it.
class GatewayTruth {
 public:
  virtual ~GatewayTruth() = default;
  /// Returns: the payment's id, or "" when nothing was charged by this attempt.
  [[nodiscard]] virtual std::string charge_of(const Id& reservation, std::uint32_t attempt) const = 0;
  [[nodiscard]] virtual std::int64_t charged(const std::string& payment) const = 0;
  [[nodiscard]] virtual bool refund_is(const Id& reservation, std::uint32_t number, bool settled) const = 0;
};

inline constexpr Duration key_lifetime{std::chrono::hours{24}};
inline constexpr Duration expired_memory{std::chrono::minutes{10}};
/// Who acts for the house.
inline constexpr auto staff_user = static_cast<UserNumber>(1'000);

/// When a living reservation dies (DESIGN 4.7).
[[nodiscard]] Instant deadline_of(const Held& held, const Facts& facts) noexcept;
/// The tier's percentage, or -1 when it is too late.
[[nodiscard]] int refund_percent(const Facts& facts, Instant now) noexcept;
[[nodiscard]] std::int64_t refund_amount(const Facts& facts, const Held& held, std::uint32_t mask,
                                         int percent) noexcept;
/// Lets die what is dead at `now`, with the cool-downs that follow. Returns: how many died.
std::size_t let_die(ShowState& state, const Facts& facts, Instant now);

class Model {
 public:
  Model(const GatewayTruth& gateway, Counters& counters) : gateway_(gateway), counters_(counters) {}

  void add(Facts facts);
  /// Applies what the program has appended. Returns: what is not allowed, or "".
  [[nodiscard]] std::string on_record(const Record& record, Lsn durable);
  /// The log ends at `ends` now: what was beyond it never happened. Returns: what was lost and must not be, or "".
  [[nodiscard]] std::string roll_back(const std::vector<Lsn>& ends);

  /// Somebody was told of records up to `lsn`.
  void reveal(ShardIndex shard, Lsn lsn);
  void note_try(ShowNumber show, UserNumber user) { ++tries_[{to_value(show), to_value(user)}]; }

  [[nodiscard]] const Facts& facts(ShowNumber show) const { return facts_.at(to_value(show)); }
  [[nodiscard]] const std::map<std::uint32_t, Facts>& shows() const noexcept { return facts_; }
  /// The newest state, or nullptr when the show is not open.
  [[nodiscard]] const ShowState* now(ShowNumber show) const;
  /// The moment of the last record at or below `lsn`. Returns: nullptr when it is forgotten or never was.
  [[nodiscard]] const Moment* as_of(ShowNumber show, Lsn lsn) const;
  /// The moment before that one.
  [[nodiscard]] const Moment* before(ShowNumber show, Lsn lsn) const;
  [[nodiscard]] Lsn end(ShardIndex shard) const noexcept { return shard < ends_.size() ? ends_[shard].lsn : 0; }
  [[nodiscard]] Instant last_now(ShardIndex shard) const noexcept { return ends_[shard].now; }
  /// When the show was opened; the epoch when it is not.
  [[nodiscard]] Instant opened_at(ShowNumber show) const;
  /// The LSN of the record that began this attempt, or 0.
  [[nodiscard]] Lsn payment_started(ShowNumber show, std::uint32_t sequence, std::uint32_t attempt) const;
  /// No process has run for longer than since then.
  Instant born{};
  /// How many live keys the user has in the shard at `now`.
  [[nodiscard]] std::size_t keys_of(ShardIndex shard, UserNumber user, Instant now) const;

 private:
  struct End {
    Lsn lsn = 0;
    Instant now{};
    Lsn revealed = 0;
  };
  friend class Applying;

  [[nodiscard]] End& shard_end(ShardIndex shard);
  using History = std::vector<std::shared_ptr<const Moment>>;

  const GatewayTruth& gateway_;
  Counters& counters_;
  std::map<std::uint32_t, Facts> facts_;
  std::map<std::uint32_t, History> histories_;
  std::map<std::uint32_t, Instant> opened_;
  std::vector<End> ends_;
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::uint32_t> tries_;  ///< to reserve, in this life
};

}  // namespace usher::sim
