#pragma once
/// Scenarios as text tables (STYLE.md). One line is one command and what is expected of it:
///
///   show S1 seats 10 now 0 ttl 1000
///   reserve R1 U1 {1,2}          -> reserved
///   reserve R2 U2 {2,3}          -> seats_unavailable {2}
///   tick 999
///   book R1                      -> booked
///   seats S1                     -> B:1,2 F:rest
///
/// Subjects: S = show, R = reservation and the booking made of it, U = user. `now T` moves the clock alone, `tick T`
/// also fires the wheel. `key K` and `body B` at the end of a line give an idempotency key; what is said again ends in
/// "again". `by U2` lets another ask, `by staff` the house. After every line the invariants are checked, and at the end
/// the log is replayed into a fresh shard, which must have equal digests.

#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/engine/catalog/halls.hpp"
#include "tests/support/test_shard.hpp"

namespace usher::testing {

class ShowScript {
 public:
  /// Returns: one line for everything that is not as expected; "" when all is.
  [[nodiscard]] std::string run(std::string_view script) {
    std::istringstream lines{std::string(script)};
    std::string line;
    for (std::size_t number = 1; std::getline(lines, line); ++number) {
      if (line.find_first_not_of(' ') == std::string::npos) continue;
      run_line(number, line);
    }
    const std::string differs = replay_differs(world_.state(), now_, world_.log.records(0));
    if (!differs.empty()) failures_ += differs + "\n";
    return failures_;
  }

  /// Every refusal that an answer of this script gave.
  [[nodiscard]] const std::vector<Refusal>& refusals() const noexcept { return refusals_; }
  [[nodiscard]] TestShard& world() noexcept { return world_; }
  [[nodiscard]] const Reply& last_reply() const noexcept { return last_; }

 private:
  using Words = std::vector<std::string>;

  static Words split(std::string_view text) {
    Words words;
    std::string word;
    bool quoted = false;
    for (const char c : text) {
      if (c == '"') {
        quoted = !quoted;
      } else if (c == ' ' && !quoted) {
        if (!word.empty()) words.push_back(word);
        word.clear();
      } else {
        word += c;
      }
    }
    if (!word.empty()) words.push_back(word);
    return words;
  }
  static std::int64_t number(std::string_view text) { return std::stoll(std::string(text)); }
  /// The word after `name`, or `other`.
  static std::string option(const Words& words, std::string_view name, std::string other) {
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
      if (words[i] == name) return words[i + 1];
    }
    return other;
  }
  static bool has(const Words& words, std::string_view name) {
    return std::find(words.begin(), words.end(), name) != words.end();
  }

  void run_line(std::size_t line_number, const std::string& line) {
    const std::size_t arrow = line.find("->");
    const Words words = split(line.substr(0, arrow));
    std::string expected;
    for (const std::string& word : arrow == std::string::npos ? Words{} : split(line.substr(arrow + 2))) {
      expected += (expected.empty() ? "" : " ") + word;
    }
    const std::string found = run_words(words);
    world_.commit();
    if (found != expected && (arrow != std::string::npos || !found.empty())) {
      failures_ += "line " + std::to_string(line_number) + ": " + line + "   but: " + found + "\n";
    }
    for (const std::string& broken : engine::check_invariants(world_.state())) {
      failures_ += "line " + std::to_string(line_number) + ": " + line + "   broke: " + broken + "\n";
    }
  }

  std::string run_words(const Words& words) {
    const std::string& verb = words[0];
    if (verb == "show") return show(words);
    if (verb == "tick" || verb == "now") {
      now_ = instant_from_ms(number(words[1]));
      if (verb == "tick") world_.advance(now_);
      return "";
    }
    if (verb == "seats") return seats(words[1]);
    if (verb == "book") {
      const Reply started = ask(CommandType::start_payment, words);
      if (started.refusal != Refusal::none) return say(started);
      return finish(words, "captured");
    }
    if (verb == "captured" || verb == "declined" || verb == "unknown") return finish(words, verb);
    return say(ask(type_of(verb), words));
  }

  static CommandType type_of(const std::string& verb) {
    static const std::map<std::string, CommandType> types{
        {"reserve", CommandType::reserve},        {"best", CommandType::reserve_best},
        {"release", CommandType::release},        {"read", CommandType::read_reservation},
        {"pay", CommandType::start_payment},      {"booking", CommandType::read_booking},
        {"preview", CommandType::preview_cancel}, {"cancel", CommandType::cancel},
        {"refund", CommandType::finish_refund},   {"cancel_show", CommandType::cancel_show},
        {"block", CommandType::block_seats},      {"unblock", CommandType::unblock_seats},
        {"scan", CommandType::check_in},
    };
    return types.at(verb);
  }

  std::string show(const Words& words) {
    const auto show = static_cast<ShowNumber>(number(words[1].substr(1)));
    now_ = instant_from_ms(number(option(words, "now", std::to_string(to_ms(now_)))));
    engine::ShowTerms terms;
    terms.price_standard = number(option(words, "price", "1000"));
    terms.price_premium = number(option(words, "premium", "1501"));
    terms.start = instant_from_ms(number(option(words, "start", "200000000")));
    terms.end = instant_from_ms(number(option(words, "end", "210000000")));
    Policy& policy = terms.policy;
    policy.reservation_ttl = Duration{number(option(words, "ttl", "600000"))};
    policy.payment_grace = Duration{number(option(words, "grace", "60000"))};
    policy.cooldown = Duration{number(option(words, "cooldown", "300000"))};
    policy.cooldown_after_abandoned = static_cast<std::uint8_t>(number(option(words, "abandoned", "1")));
    policy.cooldown_after_refusals = static_cast<std::uint8_t>(number(option(words, "refusals", "20")));
    policy.reservations_per_user_and_show = static_cast<std::uint8_t>(number(option(words, "limit", "1")));
    policy.seats_per_reservation = static_cast<std::uint8_t>(number(option(words, "max", "10")));
    const std::string orphans = option(words, "orphan", "best_available");
    policy.orphan_rule = orphans == "all"   ? OrphanRule::all
                         : orphans == "off" ? OrphanRule::off
                                            : OrphanRule::best_available;
    std::vector<std::string> rows{std::string(static_cast<std::size_t>(number(option(words, "seats", "10"))), 'S')};
    if (has(words, "hall")) rows = split_rows(option(words, "hall", ""));
    std::vector<std::string_view> views(rows.begin(), rows.end());
    return world_.open(show, hall(views), terms, now_) ? "" : "not opened";
  }
  static std::vector<std::string> split_rows(const std::string& text) {
    std::vector<std::string> rows(1);
    for (const char c : text) {
      if (c == '/') {
        rows.emplace_back();
      } else {
        rows.back() += c;
      }
    }
    return rows;
  }

  void name(Command& command, const Words& words) {
    if (words.size() < 2) return;
    const std::string& subject = words[1];
    if (subject[0] == 'S') {
      command.show = static_cast<ShowNumber>(number(subject.substr(1)));
      return;
    }
    const auto known = reservations_.find(subject);
    if (known != reservations_.end()) {
      command.show = known->second.show;
      command.sequence = known->second.sequence;
      command.id_random = known->second.id_random;
      command.user = known->second.user;
    } else {
      command.show = static_cast<ShowNumber>(1);
      command.sequence = 77;
    }
  }
  static void read_seats(Command& command, const Words& words) {
    for (const std::string& word : words) {
      if (word[0] != '{') continue;
      std::istringstream list(word.substr(1, word.size() - 2));
      std::string seat;
      while (std::getline(list, seat, ',')) {
        command.seats[command.seat_count++] = static_cast<SeatIndex>(number(seat));
      }
    }
  }

  Reply ask(CommandType type, const Words& words) {
    Command command;
    command.type = type;
    name(command, words);
    read_seats(command, words);
    const bool reserves = type == CommandType::reserve || type == CommandType::reserve_best;
    if (reserves) {
      command.show = static_cast<ShowNumber>(number(option(words, "show", "1")));
      command.user = static_cast<UserNumber>(number(words[2].substr(1)));
    }
    if (type == CommandType::reserve_best) command.seat_count = static_cast<std::uint8_t>(number(words[3]));
    if (has(words, "type")) {
      command.seat_type = static_cast<std::uint8_t>(*engine::parse_seat_type(option(words, "type", "")));
    }
    command.split = has(words, "split");
    command.random = ++random_;
    if (type == CommandType::finish_refund) {
      command.attempt = static_cast<std::uint32_t>(number(words[2]));
      command.refund_settled = has(words, "settled");
      command.staff = true;
    }
    if (type == CommandType::check_in) scan(command, words);
    if (has(words, "forged")) ++command.id_random;
    who(command, words);
    const Reply reply = execute(command);
    if (reserves && reply.refusal == Refusal::none && !reply.replayed) reservations_[words[1]] = reply;
    if (type == CommandType::start_payment && reply.refusal == Refusal::none) {
      reservations_[words[1]].attempt = reply.attempt;
    }
    return reply;
  }
  /// scan R1 POSITION at MS [out] [nonce N] [gate G] [early|late]
  void scan(Command& command, const Words& words) {
    const auto booking = world_.execute(reading(command), now_);
    const auto position = static_cast<std::uint32_t>(number(words[2]));
    command.id_random = ticket_id(command.show, command.sequence, booking.ticket_random, position).random;
    command.scanned_at = instant_from_ms(number(option(words, "at", std::to_string(to_ms(now_)))));
    command.exit = has(words, "out");
    command.random = static_cast<std::uint64_t>(number(option(words, "nonce", std::to_string(random_))));
    command.window = has(words, "early")  ? ScanResult::too_early
                     : has(words, "late") ? ScanResult::too_late
                                          : ScanResult::valid;
    const std::string gate = option(words, "gate", "G1");
    std::copy(gate.begin(), gate.end(), command.payment_ref.begin());
    command.payment_ref_size = static_cast<std::uint8_t>(gate.size());
  }
  static Command reading(Command command) {
    command.type = CommandType::read_booking;
    command.staff = true;
    return command;
  }
  static void who(Command& command, const Words& words) {
    const std::string by = option(words, "by", "");
    if (by == "staff") {
      command.staff = true;
      command.user = static_cast<UserNumber>(9'999);
    } else if (!by.empty()) {
      command.user = static_cast<UserNumber>(number(by.substr(1)));
    }
    if (!has(words, "key")) return;
    command.idempotency.key_high = to_value(command.user);
    command.idempotency.key_low = static_cast<std::uint64_t>(number(option(words, "key", "")));
    command.idempotency.body = static_cast<std::uint64_t>(number(option(words, "body", "0")));
  }
  std::string finish(const Words& words, const std::string& outcome) {
    Command command;
    command.type = CommandType::finish_payment;
    name(command, words);
    command.staff = true;
    const auto known = reservations_.find(words[1]);
    const std::uint32_t attempt = known == reservations_.end() ? 1 : known->second.attempt;
    command.attempt = static_cast<std::uint32_t>(number(option(words, "attempt", std::to_string(attempt))));
    command.random = ++random_;
    command.payment = outcome == "captured"   ? PaymentOutcome::captured
                      : outcome == "declined" ? PaymentOutcome::declined
                                              : PaymentOutcome::unknown;
    command.decline = PaymentDecline::insufficient_funds;
    const std::string ref = option(words, "ref", "pi_1");
    std::copy(ref.begin(), ref.end(), command.payment_ref.begin());
    command.payment_ref_size = static_cast<std::uint8_t>(ref.size());
    return say(execute(command));
  }
  Reply execute(const Command& command) {
    const Reply reply = world_.execute(command, now_);
    if (reply.refusal != Refusal::none) refusals_.push_back(reply.refusal);
    last_ = reply;
    return reply;
  }

  static std::string list(const Reply& reply) {
    std::string text;
    for (std::uint32_t i = 0; i < reply.seat_count; ++i) {
      text += (i == 0 ? "{" : ",") + std::to_string(reply.seats[i]);
    }
    return text + "}";
  }
  static std::string say(const Reply& reply) {
    std::string text;
    if (reply.refusal != Refusal::none) {
      text = describe(reply.refusal).code;
      if (reply.refusal == Refusal::seats_unavailable) text += " " + list(reply);
      if (reply.refusal == Refusal::cooldown) text += " until " + std::to_string(to_ms(reply.retry_at));
      if (reply.refusal == Refusal::payment_declined) text += " " + std::string(to_string(reply.decline));
    } else {
      text = say_done(reply);
    }
    return reply.replayed ? text + " again" : text;
  }
  static std::string say_done(const Reply& reply) {
    static const std::vector<std::string> states{"free",      "reserved", "paying", "booked",
                                                 "cancelled", "refunded", "lapsed", "expired"};
    const std::string& state = states[static_cast<std::size_t>(reply.state)];
    switch (reply.type) {
      case CommandType::release:
        return "released";
      case CommandType::reserve_best:
        return state + " " + list(reply);
      case CommandType::check_in: {
        std::string text(scan_result_names[static_cast<std::size_t>(reply.scan)]);
        if (reply.payment_ref_size != 0)
          text += " " + std::string(reply.payment()) + " at " + std::to_string(to_ms(reply.scanned_at));
        return reply.superseded ? text + " first" : text;
      }
      case CommandType::cancel_show:
      case CommandType::block_seats:
      case CommandType::unblock_seats:
        return "done";
      case CommandType::preview_cancel:
      case CommandType::cancel:
        return state + " " + std::to_string(reply.percent) + "% " + std::to_string(reply.refund);
      default:
        return state;
    }
  }

  /// "B:1,2 R:5 F:rest"; a view through the durable image, which equals memory after each line.
  std::string seats(const std::string& subject) {
    const auto show = static_cast<ShowNumber>(number(subject.substr(1)));
    const auto view = world_.shard.view(show);
    if (!view) return "unknown_show";
    std::map<char, std::string> by_status;
    for (std::uint32_t at = 0; at < view->layout->seat_count(); ++at) {
      const auto seat = static_cast<SeatIndex>(at);
      const char status = engine::SeatPlanes::test(view->booked, seat)     ? 'B'
                          : engine::SeatPlanes::test(view->reserved, seat) ? 'R'
                          : engine::SeatPlanes::test(view->blocked, seat)  ? 'X'
                                                                           : 'F';
      if (status == 'F') continue;
      std::string& seats_of = by_status[status];
      seats_of += (seats_of.empty() ? "" : ",") + std::to_string(seat);
    }
    std::string text;
    for (const auto& [status, seats_of] : by_status) text += std::string(1, status) + ":" + seats_of + " ";
    static const std::vector<std::string> words{"", "cancelled ", "completed "};
    return words[static_cast<std::size_t>(view->status)] + text + "F:rest";
  }

  TestShard world_;
  Instant now_{};
  std::uint64_t random_ = 1'000;
  std::map<std::string, Reply> reservations_;
  std::vector<Refusal> refusals_;
  Reply last_{};
  std::string failures_;
};

/// Runs one script. Returns: "" when all is as it says.
[[nodiscard]] inline std::string run_script(std::string_view script) {
  return ShowScript{}.run(script);
}

}  // namespace usher::testing
