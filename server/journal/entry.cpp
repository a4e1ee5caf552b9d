#include "server/journal/entry.hpp"

#include <algorithm>

#include "wal/crc32c.hpp"

namespace usher::server::journal {
namespace {

constexpr std::uint8_t kind_setting = 1;
constexpr std::uint8_t kind_show = 2;
constexpr std::uint8_t kind_command = 3;
constexpr std::uint8_t kind_dropped = 4;

constexpr std::uint8_t flag_staff = 1;
constexpr std::uint8_t flag_split = 2;
constexpr std::uint8_t flag_settled = 4;
constexpr std::uint8_t flag_replayed = 8;

/// Kinds of commands that a later version may know are read and left to whoever looks at them.
constexpr unsigned type_count = 64;

/// A sum that wraps instead of being undefined: the bytes may be anything.
std::int64_t add(std::int64_t a, std::int64_t b) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

std::string text(ByteReader& in) {
  return std::string(in.text(block_bytes_max));
}

bool read_seats(ByteReader& in, Decision& decision) {
  const bool named = decision.seat_count <= limits::seats_per_request_max;
  std::uint64_t seat = 0;
  for (std::uint8_t i = 0; named && i < decision.seat_count; ++i) {
    seat += in.varint();
    if (seat > 0xffff) return false;
    decision.seats[i] = static_cast<SeatIndex>(seat);
  }
  return named;
}

}  // namespace

std::uint32_t block_crc(std::string_view entries) noexcept {
  return wal::crc32c(0, entries);
}

Decision make_decision(const Command& command, const Reply& reply) noexcept {
  Decision decision;
  decision.type = command.type;
  decision.refusal = reply.refusal;
  decision.staff = command.staff;
  decision.split = command.split;
  decision.refund_settled = command.refund_settled;
  decision.replayed = reply.replayed;
  decision.payment = command.payment;
  decision.decline = command.decline;
  decision.seat_type = command.seat_type;
  decision.show = command.show;
  decision.attempt = command.attempt;
  decision.user = command.user;
  decision.at = reply.now;
  decision.sequence = command.sequence;
  decision.seat_count = command.seat_count;
  const bool reserves = command.type == CommandType::reserve || command.type == CommandType::reserve_best;
  const bool done = reply.refusal == Refusal::none;
  if (done && command.type == CommandType::start_payment) decision.attempt = reply.attempt;
  const SeatIndex* seats = command.seats.data();
  if (done && reserves) {
    decision.sequence = reply.sequence;
    decision.expires = reply.expires_at;
    decision.seat_count = reply.seat_count;
    seats = reply.seats.data();
  }
  const std::size_t count = std::min<std::size_t>(decision.seat_count, decision.seats.size());
  // of best available that was refused, only the number is known
  if (done || command.type != CommandType::reserve_best) std::copy_n(seats, count, decision.seats.begin());
  return decision;
}

void EntryWriter::setting(const Setting& setting, Bytes& out) {
  ByteWriter to(out);
  to.u8(kind_setting);
  to.text(setting.key);
  to.text(setting.value);
}

void EntryWriter::show(const ShowEntry& show, Bytes& out) {
  ByteWriter to(out);
  to.u8(kind_show);
  to.varint(to_value(show.number));
  to.text(show.id);
  to.varint(show.seats);
  to.signed_varint(to_ms(show.start));
}

void EntryWriter::decision(const Decision& decision, Bytes& out) {
  ByteWriter to(out);
  const auto flag = [](bool set, std::uint8_t bit) { return set ? bit : std::uint8_t{0}; };
  to.u8(kind_command);
  to.u8(static_cast<std::uint8_t>(decision.type));
  to.u8(static_cast<std::uint8_t>(decision.refusal));
  to.u8(static_cast<std::uint8_t>(flag(decision.staff, flag_staff) | flag(decision.split, flag_split) |
                                  flag(decision.refund_settled, flag_settled) |
                                  flag(decision.replayed, flag_replayed)));
  to.u8(static_cast<std::uint8_t>(static_cast<unsigned>(decision.payment) +
                                  16 * static_cast<unsigned>(decision.decline)));
  const std::int64_t at_ms = to_ms(decision.at);
  to.signed_varint(at_ms - before_ms_);
  before_ms_ = at_ms;
  to.varint(to_value(decision.show));
  to.fixed(std::uint64_t{to_value(decision.user)});
  to.varint(decision.sequence);
  to.varint(decision.attempt);
  to.signed_varint(decision.expires == Instant{} ? 0 : to_ms(decision.expires) - at_ms);
  to.u8(decision.seat_type);
  to.u8(decision.seat_count);
  std::uint32_t before = 0;
  for (std::uint8_t i = 0; i < decision.seat_count && i < decision.seats.size(); ++i) {
    to.varint(static_cast<std::uint64_t>(decision.seats[i]) - before);
    before = static_cast<std::uint32_t>(decision.seats[i]);
  }
}

void EntryWriter::dropped(std::uint64_t count, Bytes& out) {
  ByteWriter to(out);
  to.u8(kind_dropped);
  to.varint(count);
}

bool EntryReader::read(std::string_view entries, EntryVisitor& visitor) {
  ByteReader in(entries);
  while (in.ok() && in.left() != 0) {
    const std::uint8_t kind = in.u8();
    if (kind == kind_setting) {
      Setting setting{text(in), text(in)};
      if (in.ok()) visitor.on_setting(std::move(setting));
    } else if (kind == kind_show) {
      ShowEntry show;
      show.number = static_cast<ShowNumber>(in.varint());
      show.id = text(in);
      show.seats = static_cast<std::uint32_t>(in.varint());
      show.start = instant_from_ms(in.signed_varint());
      if (in.ok()) visitor.on_show(std::move(show));
    } else if (kind == kind_dropped) {
      const std::uint64_t count = in.varint();
      if (in.ok()) visitor.on_dropped(count);
    } else if (kind == kind_command) {
      Decision decision;
      const std::uint8_t type = in.u8();
      const std::uint8_t refusal = in.u8();
      const std::uint8_t flags = in.u8();
      const std::uint8_t extra = in.u8();
      if (type >= type_count || refusal >= static_cast<std::uint8_t>(Refusal::count_)) return false;
      if (extra % 16 > 2 || extra / 16 >= static_cast<std::uint8_t>(PaymentDecline::count_)) return false;
      decision.type = static_cast<CommandType>(type);
      decision.refusal = static_cast<Refusal>(refusal);
      decision.staff = (flags & flag_staff) != 0;
      decision.split = (flags & flag_split) != 0;
      decision.refund_settled = (flags & flag_settled) != 0;
      decision.replayed = (flags & flag_replayed) != 0;
      decision.payment = static_cast<PaymentOutcome>(extra % 16);
      decision.decline = static_cast<PaymentDecline>(extra / 16);
      before_ms_ = add(before_ms_, in.signed_varint());
      decision.at = instant_from_ms(before_ms_);
      decision.show = static_cast<ShowNumber>(in.varint());
      decision.user = static_cast<UserNumber>(in.fixed<std::uint64_t>());
      decision.sequence = static_cast<std::uint32_t>(in.varint());
      decision.attempt = static_cast<std::uint32_t>(in.varint());
      const std::int64_t expires_ms = in.signed_varint();
      if (expires_ms != 0) decision.expires = instant_from_ms(add(before_ms_, expires_ms));
      decision.seat_type = in.u8();
      decision.seat_count = in.u8();
      if (!read_seats(in, decision)) return false;
      if (in.ok()) visitor.on_decision(decision);
    } else {
      return false;
    }
  }
  return in.ok();
}

}  // namespace usher::server::journal
