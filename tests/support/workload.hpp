#pragma once
/// Random customers on one shard: all kinds of commands, with and without idempotency keys, random steps of time, a
/// wheel that is sometimes late. The same seed does the same. After each step the answers are held against the seats.

#include <random>
#include <string>
#include <vector>

#include "tests/engine/catalog/halls.hpp"
#include "tests/support/test_shard.hpp"

namespace usher::testing {

class Workload {
 public:
  static constexpr std::uint32_t shows = 4;
  static constexpr std::uint64_t users = 12;

  explicit Workload(std::uint64_t seed) : random_(seed), world(instant_from_ms(1'000'000)) {
    for (std::uint32_t number = 1; number <= shows; ++number) open(number);
  }

  /// One command or one step of time. Returns: what is wrong, or "".
  std::string step() {
    if (draw(3) == 0) pass_time();
    if (draw(60) == 0) {  // a waiting room is put before a show, or taken away
      const auto show = static_cast<ShowNumber>(1 + draw(shows));
      if (!world.shard.guard(show, 9, now) || draw(2) == 0) (void)world.shard.unguard(show, 9, now);
    }
    const Command command = next_command();
    const Reply reply = world.execute(command, now);
    remember(command, reply);
    if (draw(4) == 0) world.commit();
    std::string wrong = check_answer(command, reply);
    if (wrong.empty()) {
      const auto broken = engine::check_invariants(world.state());
      if (!broken.empty()) wrong = broken[0];
    }
    return wrong;
  }

  std::mt19937_64 random_;
  TestShard world;
  Instant now = instant_from_ms(1'000'000);
  std::uint64_t refused = 0;
  std::uint64_t done = 0;

 private:
  std::uint64_t draw(std::uint64_t below) { return random_() % below; }

  void open(std::uint32_t number) {
    engine::ShowTerms terms;
    terms.price_standard = 1'000;
    terms.price_premium = 1'501;
    terms.start = now + std::chrono::hours{3 + 30 * number};
    terms.end = terms.start + std::chrono::hours{2};
    terms.policy.reservation_ttl = std::chrono::minutes{10};
    terms.policy.reservations_per_user_and_show = static_cast<std::uint8_t>(draw(3));
    terms.policy.cooldown_after_abandoned = static_cast<std::uint8_t>(draw(3));
    terms.policy.cooldown_after_refusals = static_cast<std::uint8_t>(draw(2) * 5);
    terms.policy.orphan_rule = draw(4) == 0 ? OrphanRule::all : OrphanRule::best_available;
    (void)world.open(static_cast<ShowNumber>(number), hall({"SSSS PPPP", "SSCAC SSS", "OSSSSSSSSSSSSSSSSSSS"}), terms,
                     now);
  }

  void pass_time() {
    static constexpr std::int64_t steps[]{1, 20, 1'000, 30'000, 300'000, 600'000, 5'000'000};
    now +=
        Duration{static_cast<std::int64_t>(draw(static_cast<std::uint64_t>(steps[draw(draw(20) == 0 ? 7 : 5)])) + 1)};
    if (draw(3) != 0) world.advance(now);
  }

  Command next_command() {
    static constexpr CommandType kinds[]{
        CommandType::reserve,        CommandType::reserve,        CommandType::reserve,
        CommandType::reserve_best,   CommandType::release,        CommandType::read_reservation,
        CommandType::start_payment,  CommandType::start_payment,  CommandType::start_payment,
        CommandType::finish_payment, CommandType::finish_payment, CommandType::finish_payment,
        CommandType::read_booking,   CommandType::preview_cancel, CommandType::cancel,
        CommandType::finish_refund,  CommandType::block_seats,    CommandType::unblock_seats,
        CommandType::join_waitlist,  CommandType::join_waitlist,  CommandType::leave_waitlist,
        CommandType::read_waitlist};
    Command command;
    command.type = kinds[draw(std::size(kinds))];
    if (draw(3'000) == 0) command.type = CommandType::cancel_show;
    command.user = static_cast<UserNumber>(1 + draw(users));
    command.show = static_cast<ShowNumber>(1 + draw(shows + (draw(50) == 0 ? 1U : 0U)));
    command.random = random_();
    if (!known_.empty() && draw(20) != 0) name(command);
    command.staff = draw(8) == 0 || command.type == CommandType::finish_payment;
    choose_seats(command);
    if (draw(4) != 0) command.admission = {9, static_cast<std::uint32_t>(draw(30)), 1, now + std::chrono::minutes{1}};
    command.payment = static_cast<PaymentOutcome>(draw(3));
    command.decline = static_cast<PaymentDecline>(draw(4));
    command.refund_settled = draw(2) == 0;
    command.payment_ref_size = static_cast<std::uint8_t>(draw(limits::payment_ref_bytes_max + 1));
    command.payment_ref.fill('p');
    if (draw(3) == 0) give_key(command);
    return command;
  }
  void name(Command& command) {
    const std::size_t from = known_.size() > 40 && draw(4) != 0 ? known_.size() - 40 : 0;
    const Reply& known = known_[from + draw(known_.size() - from)];
    command.show = known.show;
    command.sequence = known.sequence;
    command.id_random = draw(50) == 0 ? 1 : known.id_random;
    const bool reserves = command.type == CommandType::reserve || command.type == CommandType::reserve_best;
    if (draw(20) != 0 && !reserves) command.user = known.user;
    command.attempt = draw(8) == 0 ? static_cast<std::uint32_t>(draw(3)) : known.attempt;
    if (command.type == CommandType::finish_refund) command.attempt = static_cast<std::uint32_t>(1 + draw(2));
  }
  void choose_seats(Command& command) {
    if (command.type == CommandType::reserve_best || command.type == CommandType::join_waitlist) {
      command.seat_count = static_cast<std::uint8_t>(draw(6));
      command.seat_type = static_cast<std::uint8_t>(draw(8));
      command.split = draw(2) == 0;
      return;
    }
    std::uint64_t seat = draw(36);
    for (std::uint64_t count = draw(5); count > 0; --count) {
      command.seats[command.seat_count++] = static_cast<SeatIndex>(seat);
      seat += draw(10) == 0 ? 0 : 1;
    }
    const bool cancels = command.type == CommandType::cancel || command.type == CommandType::preview_cancel;
    if (cancels && draw(2) == 0) command.seat_count = 0;
  }
  void give_key(Command& command) {
    command.idempotency.key_high = to_value(command.user);
    command.idempotency.key_low = 1 + draw(40);
    command.idempotency.body = draw(8) == 0 ? 2 : 1;
  }

  void remember(const Command& command, const Reply& reply) {
    ++(reply.refusal == Refusal::none ? done : refused);
    if (reply.refusal != Refusal::none || reply.replayed) return;
    const bool reserves = command.type == CommandType::reserve || command.type == CommandType::reserve_best;
    if (reserves) known_.push_back(reply);
    if (command.type != CommandType::start_payment) return;
    for (Reply& known : known_) {
      if (known.show == reply.show && known.id_random == reply.id_random) known.attempt = reply.attempt;
    }
  }

  /// DESIGN 4.1 and 4.2 as a customer sees them.
  std::string check_answer(const Command& command, const Reply& reply) {
    if (command.type != CommandType::reserve || reply.replayed) return "";
    const engine::SlabIndex show = world.state().find_show(command.show);
    if (reply.refusal == Refusal::none) {
      if (reply.seat_count != command.seat_count) return "not all seats that were asked for";
      for (std::uint32_t i = 0; i < reply.seat_count; ++i) {
        if (reply.seats[i] != command.seats[i]) return "other seats than asked for";
      }
      const engine::SlabIndex made = world.state().find_reservation(show, reply.sequence);
      if (made == 0 || world.state().reservations[made].random != command.random) return "answered and not reserved";
      if (reply.expires_at <= now) return "dead on arrival";
    }
    if (reply.refusal == Refusal::seats_unavailable) {
      engine::SeatPlanes planes = world.state().planes(world.state().shows[show]);
      for (std::uint32_t i = 0; i < reply.seat_count; ++i) {
        if (!planes.taken(reply.seats[i])) return "a free seat is called unavailable";
      }
    }
    return "";
  }

  std::vector<Reply> known_;
};

}  // namespace usher::testing
