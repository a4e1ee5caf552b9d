/// What clients ask, and what they make of the answers.

#include <algorithm>

#include "tests/sim/world.hpp"

namespace usher::sim {
namespace {

[[nodiscard]] bool changes(CommandType type) noexcept {
  return type == CommandType::reserve || type == CommandType::reserve_best || type == CommandType::release ||
         type == CommandType::start_payment || type == CommandType::cancel;
}

/// A digest of what is asked, as the server's HMAC of the body would be.
[[nodiscard]] std::uint64_t body_of(const Command& command) noexcept {
  std::uint64_t hash = static_cast<std::uint64_t>(command.type) + 1;
  const auto mix = [&](std::uint64_t value) { hash = (hash ^ value) * 0x9e3779b97f4a7c15ULL + 1; };
  mix(to_value(command.show));
  mix(command.sequence);
  mix(command.id_random);
  for (std::size_t at = 0; at < command.seat_count && at < command.seats.size(); ++at) mix(command.seats[at]);
  mix(command.seat_count);
  return hash;
}

}  // namespace

void World::ask(std::size_t loop) {
  ++commands_;
  if (random_.chance(knobs_.retry_per_mille) && repeat(loop)) return;
  Command command = draw_command();
  if (changes(command.type) && random_.chance(knobs_.key_per_mille)) give_key(command);
  submit(loop, command);
}

void World::submit(std::size_t loop, Command command) {
  if (command.type != CommandType::check_in) command.random = clients_.next();  // else it is the scan's nonce
  command.reply = {static_cast<std::uint16_t>(loop), 1, static_cast<std::uint32_t>(life_),
                   static_cast<std::uint32_t>(sent_.size()), 0};
  sent_.push_back({command, life_, false});
  if (command.type == CommandType::reserve || command.type == CommandType::reserve_best) {
    model_.note_try(command.show, command.user);
  }
  bool taken = true;
  if (command.type == CommandType::start_payment) {
    taken =
        process_->engine().is_open(command.show) && process_->saga(loop).pay(command.reply, command, "pm_card_visa");
  } else {
    taken = process_->engine().runner(loop).submit(command, model_.facts(command.show).shard);
  }
  if (taken) {
    if (process_->engine().loop_of(model_.facts(command.show).shard) != loop) counters_.hit(Path::mailed);
  } else {
    counters_.hit(Path::mailbox_full);
    sent_[command.reply.slot].answered = true;  // 503 from the caller's own loop
  }
}

CommandType World::draw_type() {
  static constexpr CommandType types[]{
      CommandType::reserve,         CommandType::reserve,       CommandType::reserve,
      CommandType::reserve,         CommandType::reserve,       CommandType::reserve_best,
      CommandType::reserve_best,    CommandType::release,       CommandType::start_payment,
      CommandType::start_payment,   CommandType::start_payment, CommandType::start_payment,
      CommandType::read_booking,    CommandType::cancel,        CommandType::preview_cancel,
      CommandType::read_reservation};
  if (clients_.chance(20)) return clients_.chance(500) ? CommandType::block_seats : CommandType::unblock_seats;
  if (clients_.chance(2)) return CommandType::cancel_show;
  if (clients_.chance(120)) return CommandType::check_in;
  return clients_.pick(types);
}

Command World::draw_command() {
  Command command;
  command.type = draw_type();
  command.user = static_cast<UserNumber>(1 + clients_.below(knobs_.users));
  command.show = static_cast<ShowNumber>(1 + clients_.below(knobs_.shows.size()));
  const bool house = command.type == CommandType::block_seats || command.type == CommandType::unblock_seats ||
                     command.type == CommandType::cancel_show;
  if (house || clients_.chance(30)) {
    command.user = staff_user;
    command.staff = true;
  }
  const bool reserves = command.type == CommandType::reserve || command.type == CommandType::reserve_best;
  if (!reserves && !house) name_reservation(command);
  choose_seats(command);
  if (command.type == CommandType::check_in) draw_scan(command);
  return command;
}

/// A scan of a ticket, made up to some seconds ago; sometimes one that was sent already, or of what is no ticket.
void World::draw_scan(Command& command) {
  if (!scans_.empty() && clients_.chance(250)) {
    command = clients_.chance(500) ? scans_.back() : scans_[clients_.below(scans_.size())];
    return;
  }
  command.user = staff_user;
  command.staff = true;
  command.exit = clients_.chance(300);
  command.window = clients_.chance(50) ? ScanResult::too_early : ScanResult::valid;
  command.scanned_at = now(0) - Duration{static_cast<std::int64_t>(clients_.below(10)) * 500};
  command.random = clients_.next();
  command.payment_ref[0] = static_cast<char>('A' + clients_.below(4));
  command.payment_ref_size = 1;
  const ShowState* state = model_.now(command.show);
  const Held* held = state == nullptr ? nullptr : state->find(command.sequence);
  if (state != nullptr && !state->held.empty() && clients_.chance(700)) {  // people come with what they have paid for
    const std::size_t begin = clients_.below(state->held.size());
    for (std::size_t at = 0; at < state->held.size(); ++at) {
      held = state->held[(begin + at) % state->held.size()].get();
      if (held->state == ReservationState::booked) break;
    }
    command.sequence = held->sequence;
  }
  if (held == nullptr || !held->paid || clients_.chance(15)) return;
  const auto position = static_cast<std::uint32_t>(clients_.below(held->seats.size()));
  command.id_random = ticket_id(command.show, held->sequence, held->ticket_random, position).random;
  scans_.push_back(command);
  if (scans_.size() > 20) scans_.erase(scans_.begin());
}

void World::name_reservation(Command& command) {
  if (known_.empty()) return;
  const std::size_t from = known_.size() > 20 && !clients_.chance(200) ? known_.size() - 20 : 0;
  const Reply& known = known_[from + clients_.below(known_.size() - from)];
  command.show = known.show;
  command.sequence = known.sequence;
  command.id_random = clients_.chance(15) ? known.id_random + 1 : known.id_random;
  if (!command.staff && !clients_.chance(30)) command.user = known.user;
  const bool cancels = command.type == CommandType::cancel || command.type == CommandType::preview_cancel;
  if (!cancels || clients_.chance(500) || known.seat_count == 0) return;
  command.seats[command.seat_count++] = known.seats[clients_.below(known.seat_count)];
}

void World::choose_seats(Command& command) {
  const std::size_t seats = model_.facts(command.show).seats.size();
  if (command.type == CommandType::reserve_best) {
    command.seat_count = static_cast<std::uint8_t>(1 + clients_.below(4));
    if (clients_.chance(20)) command.seat_count = static_cast<std::uint8_t>(clients_.below(33));
    command.seat_type = clients_.chance(500) ? std::uint8_t{255} : static_cast<std::uint8_t>(clients_.below(5));
    command.split = clients_.chance(300);
    return;
  }
  const bool names = command.type == CommandType::reserve || command.type == CommandType::block_seats ||
                     command.type == CommandType::unblock_seats;
  if (!names) return;
  std::size_t seat = clients_.below(seats);
  for (std::uint64_t count = 1 + clients_.below(clients_.chance(100) ? 9 : 2);
       count > 0 && (seat < seats || clients_.chance(10)); --count) {
    command.seats[command.seat_count++] = static_cast<SeatIndex>(seat);
    seat += clients_.chance(5) ? 0 : 1 + clients_.below(clients_.chance(200) ? 5 : 1);
  }
  if (clients_.chance(5)) command.seat_count = 0;
}

void World::give_key(Command& command) {
  if (clients_.chance(30) && !repeatable_.empty()) {  // an old key for another request to the same path
    const IdempotencyTag old = repeatable_[clients_.below(repeatable_.size())].command.idempotency;
    command.user = static_cast<UserNumber>(old.key_high >> 32U);
    command.type = static_cast<CommandType>((old.key_high >> 16U) & 0xffU);
    command.show = static_cast<ShowNumber>(old.key_high & 0xffffU);
    command.staff = command.user == staff_user;
    command.idempotency = {old.key_high, old.key_low, body_of(command)};
    return;
  }
  const std::uint64_t path = static_cast<std::uint64_t>(command.type) << 16U | to_value(command.show);
  command.idempotency = {to_value(command.user) << 32U | path, ++keys_given_, body_of(command)};
  repeatable_.push_back({command, false});
  if (repeatable_.size() > 40) repeatable_.pop_front();
}

bool World::repeat(std::size_t loop) {
  if (repeatable_.empty()) return false;
  Repeatable& again = repeatable_[clients_.below(repeatable_.size())];
  if (again.unheard) {
    const ShowState* state = model_.now(again.command.show);
    const bool done = state != nullptr && state->key(again.command.idempotency) != nullptr;
    counters_.hit(done ? Path::retried_and_done_before_crash : Path::retried_and_lost_by_crash);
    again.unheard = false;
  }
  submit(loop, again.command);
  return true;
}

// ---- answers ----

/// Answers about the server's own state. Returns: whether it was one.
bool World::overloaded(const Command& command, const Reply& reply) {
  switch (reply.refusal) {
    case Refusal::mailbox_full:
      counters_.hit(Path::outbox_full);
      return true;
    case Refusal::log_behind:
      fail("the log is never so far behind here");
      return true;
    case Refusal::disk_nearly_full:
      counters_.hit(Path::disk_refused);
      if (steps_ > disk_short_until_ && !calm_) fail("disk_nearly_full, and the disk is empty");
      if (command.type != CommandType::reserve && command.type != CommandType::reserve_best) {
        fail("disk_nearly_full to what is no reserve");
      }
      return true;
    case Refusal::draining:
      if (!closing_) fail("draining, and nobody asked for it");
      return true;
    default:
      return false;
  }
}

void World::on_client(const ReplyTo& to, const Reply& reply) {
  if (to.slot >= sent_.size() || to.generation != static_cast<std::uint32_t>(life_)) {
    return fail("an answer to nobody");
  }
  Sent& sent = sent_[to.slot];
  if (std::exchange(sent.answered, true)) return fail("a command is answered twice");
  ++counters_.answers;
  const Command command = sent.command;
  if (overloaded(command, reply)) return;
  if (std::string wrong = judge_.answer(command, reply); !wrong.empty()) return fail(wrong);
  learn(command, reply);
}

void World::learn(const Command& command, const Reply& reply) {
  const bool reserves = command.type == CommandType::reserve || command.type == CommandType::reserve_best;
  if (reserves && reply.refusal == Refusal::none) {
    known_.push_back(reply);
    if (known_.size() > 400) known_.erase(known_.begin(), known_.begin() + 200);
  }
}

}  // namespace usher::sim
