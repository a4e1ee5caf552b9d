#pragma once
/// The demand journal's entries and their bytes: what was asked of which show, by whom, and what was decided. Written
/// by the server (DemandJournal), read by rehearsals. Pure; no I/O.
///
///   file    = magic block*
///   magic   = "usher demand 1\n"
///   block   = size:u32 crc:u32 entry*        little endian; size: of the entries in bytes, at most 1 MiB; crc: CRC-32C
///   entry   = setting | show | command | dropped
///   setting = 1:u8 text text                 key and value that differ from the defaults; a secret's is "(hidden)"
///   show    = 2:u8 number:varint text seats:varint start:zigzag
///                                            its id, how many seats it has, start in ms since 1970
///   command = 3:u8 type:u8 refusal:u8 flags:u8 extra:u8 at:zigzag show:varint user:u64 sequence:varint
///             attempt:varint expires:zigzag wish:u8 count:u8 seat*
///   dropped = 4:u8 count:varint              commands that found no room, since the last such entry
///   text    = size:varint byte*
///   seat    = varint                         the first index, then distances to the one before
///
/// flags: 1 staff, 2 split, 4 refund settled, 8 a repeat of an idempotency key. extra: payment outcome, plus 16 times
/// the decline. at: ms since the command before (the first: since 1970). expires: ms after `at`, 0 where nothing was
/// held. wish: the seat type of best available. varint and zigzag are those of LEB128 and Protocol Buffers.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "usher/bytes.hpp"
#include "usher/command.hpp"

namespace usher::server::journal {

inline constexpr std::string_view magic = "usher demand 1\n";
inline constexpr std::size_t block_head_bytes = 8;
inline constexpr std::size_t block_bytes_max = 1U << 20U;

/// One command and what was decided, as much of it as a rehearsal needs. Fixed size: it crosses threads by copy.
struct Decision {
  CommandType type{};
  Refusal refusal{};
  bool staff = false;
  bool split = false;
  bool refund_settled = false;
  bool replayed = false;
  PaymentOutcome payment{};
  PaymentDecline decline{};
  std::uint8_t seat_type = 255;
  std::uint8_t seat_count = 0;
  ShowNumber show = ShowNumber::none;
  std::uint32_t sequence = 0;  ///< of the reservation that was named or made
  std::uint32_t attempt = 0;
  UserNumber user = UserNumber::none;
  Instant at{};
  Instant expires{};                                             ///< of a reservation that was made, else the epoch
  std::array<SeatIndex, limits::seats_per_request_max> seats{};  ///< asked for; of best available: those given
};

[[nodiscard]] Decision make_decision(const Command& command, const Reply& reply) noexcept;

struct Setting {
  std::string key;
  std::string value;
};
struct ShowEntry {
  ShowNumber number = ShowNumber::none;
  std::string id;
  std::uint32_t seats = 0;
  Instant start{};
};

/// Appends entries to a block's bytes. One per file: instants are written as distances.
class EntryWriter {
 public:
  void setting(const Setting& setting, Bytes& out);
  void show(const ShowEntry& show, Bytes& out);
  void decision(const Decision& decision, Bytes& out);
  void dropped(std::uint64_t count, Bytes& out);

 private:
  std::int64_t before_ms_ = 0;
};

/// Who is given what a file holds.
class EntryVisitor {
 public:
  virtual ~EntryVisitor() = default;
  virtual void on_setting(Setting setting) = 0;
  virtual void on_show(ShowEntry show) = 0;
  virtual void on_decision(const Decision& decision) = 0;
  virtual void on_dropped(std::uint64_t count) = 0;
};

/// Reads the entries of one file's blocks, in order.
class EntryReader {
 public:
  /// Returns: false when the bytes are no entries; what came before was given.
  [[nodiscard]] bool read(std::string_view entries, EntryVisitor& visitor);

 private:
  std::int64_t before_ms_ = 0;
};

[[nodiscard]] std::uint32_t block_crc(std::string_view entries) noexcept;

}  // namespace usher::server::journal
