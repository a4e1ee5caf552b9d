#include "server/journal/entry.hpp"

#include <algorithm>
#include <boost/crc.hpp>

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

std::uint64_t zigzag(std::int64_t value) noexcept {
  return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63);
}

void put_byte(std::string& out, std::uint8_t byte) {
  out.push_back(static_cast<char>(byte));
}

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) put_byte(out, static_cast<std::uint8_t>(value | 0x80U));
  put_byte(out, static_cast<std::uint8_t>(value));
}

void put_text(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out.append(text);
}

/// Takes values off the front; after the first that is not there all are 0 and ok() is false.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] bool at_end() const noexcept { return bytes_.empty(); }

  std::uint8_t byte() {
    if (bytes_.empty()) ok_ = false;
    if (!ok_) return 0;
    const auto value = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return value;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t part = byte();
      value |= std::uint64_t{part & 0x7fU} << shift;
      if ((part & 0x80U) == 0) return ok_ ? value : 0;
    }
    ok_ = false;
    return 0;
  }
  std::int64_t signed_varint() {
    const std::uint64_t value = varint();
    return static_cast<std::int64_t>((value >> 1U) ^ (0 - (value & 1U)));
  }
  std::uint64_t fixed64() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 8) value |= std::uint64_t{byte()} << shift;
    return value;
  }
  std::string text() {
    const std::uint64_t size = varint();
    if (size > bytes_.size()) ok_ = false;
    if (!ok_) return {};
    std::string text(bytes_.substr(0, size));
    bytes_.remove_prefix(size);
    return text;
  }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

/// A sum that wraps instead of being undefined: the bytes may be anything.
std::int64_t add(std::int64_t a, std::int64_t b) noexcept {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

bool read_seats(Cursor& cursor, Decision& decision) {
  const bool named = decision.seat_count <= limits::seats_per_request_max;
  std::uint64_t seat = 0;
  for (std::uint8_t i = 0; named && i < decision.seat_count; ++i) {
    seat += cursor.varint();
    if (seat > 0xffff) return false;
    decision.seats[i] = static_cast<SeatIndex>(seat);
  }
  return named;
}

}  // namespace

std::uint32_t block_crc(std::string_view entries) noexcept {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;  // CRC-32C
  crc.process_bytes(entries.data(), entries.size());
  return crc.checksum();
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

void EntryWriter::setting(const Setting& setting, std::string& out) {
  put_byte(out, kind_setting);
  put_text(out, setting.key);
  put_text(out, setting.value);
}

void EntryWriter::show(const ShowEntry& show, std::string& out) {
  put_byte(out, kind_show);
  put_varint(out, to_value(show.number));
  put_text(out, show.id);
  put_varint(out, show.seats);
  put_varint(out, zigzag(to_ms(show.start)));
}

void EntryWriter::decision(const Decision& decision, std::string& out) {
  const auto flag = [](bool set, std::uint8_t bit) { return set ? bit : std::uint8_t{0}; };
  put_byte(out, kind_command);
  put_byte(out, static_cast<std::uint8_t>(decision.type));
  put_byte(out, static_cast<std::uint8_t>(decision.refusal));
  put_byte(out, static_cast<std::uint8_t>(flag(decision.staff, flag_staff) | flag(decision.split, flag_split) |
                                          flag(decision.refund_settled, flag_settled) |
                                          flag(decision.replayed, flag_replayed)));
  put_byte(out, static_cast<std::uint8_t>(static_cast<unsigned>(decision.payment) +
                                          16 * static_cast<unsigned>(decision.decline)));
  const std::int64_t at_ms = to_ms(decision.at);
  put_varint(out, zigzag(at_ms - before_ms_));
  before_ms_ = at_ms;
  put_varint(out, to_value(decision.show));
  for (unsigned shift = 0; shift < 64; shift += 8)
    put_byte(out, static_cast<std::uint8_t>(to_value(decision.user) >> shift));
  put_varint(out, decision.sequence);
  put_varint(out, decision.attempt);
  put_varint(out, zigzag(decision.expires == Instant{} ? 0 : to_ms(decision.expires) - at_ms));
  put_byte(out, decision.seat_type);
  put_byte(out, decision.seat_count);
  std::uint32_t before = 0;
  for (std::uint8_t i = 0; i < decision.seat_count && i < decision.seats.size(); ++i) {
    put_varint(out, static_cast<std::uint64_t>(decision.seats[i]) - before);
    before = static_cast<std::uint32_t>(decision.seats[i]);
  }
}

void EntryWriter::dropped(std::uint64_t count, std::string& out) {
  put_byte(out, kind_dropped);
  put_varint(out, count);
}

bool EntryReader::read(std::string_view entries, EntryVisitor& visitor) {
  Cursor cursor(entries);
  while (cursor.ok() && !cursor.at_end()) {
    const std::uint8_t kind = cursor.byte();
    if (kind == kind_setting) {
      Setting setting{cursor.text(), cursor.text()};
      if (cursor.ok()) visitor.on_setting(std::move(setting));
    } else if (kind == kind_show) {
      ShowEntry show;
      show.number = static_cast<ShowNumber>(cursor.varint());
      show.id = cursor.text();
      show.seats = static_cast<std::uint32_t>(cursor.varint());
      show.start = instant_from_ms(cursor.signed_varint());
      if (cursor.ok()) visitor.on_show(std::move(show));
    } else if (kind == kind_dropped) {
      const std::uint64_t count = cursor.varint();
      if (cursor.ok()) visitor.on_dropped(count);
    } else if (kind == kind_command) {
      Decision decision;
      const std::uint8_t type = cursor.byte();
      const std::uint8_t refusal = cursor.byte();
      const std::uint8_t flags = cursor.byte();
      const std::uint8_t extra = cursor.byte();
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
      before_ms_ = add(before_ms_, cursor.signed_varint());
      decision.at = instant_from_ms(before_ms_);
      decision.show = static_cast<ShowNumber>(cursor.varint());
      decision.user = static_cast<UserNumber>(cursor.fixed64());
      decision.sequence = static_cast<std::uint32_t>(cursor.varint());
      decision.attempt = static_cast<std::uint32_t>(cursor.varint());
      const std::int64_t expires_ms = cursor.signed_varint();
      if (expires_ms != 0) decision.expires = instant_from_ms(add(before_ms_, expires_ms));
      decision.seat_type = cursor.byte();
      decision.seat_count = cursor.byte();
      if (!read_seats(cursor, decision)) return false;
      if (cursor.ok()) visitor.on_decision(decision);
    } else {
      return false;
    }
  }
  return cursor.ok();
}

}  // namespace usher::server::journal
