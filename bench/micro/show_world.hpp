#pragma once
/// What the engine's micro benches share: a log that forgets, a hall, and a shard with many shows in it.

#include <cstdint>
#include <memory>
#include <string>

#include "engine/catalog/layout.hpp"
#include "engine/catalog/show_terms.hpp"
#include "engine/shard/shard.hpp"
#include "usher/log.hpp"

namespace usher::bench {

/// Numbers records and forgets them: what is left is what deciding costs.
class ForgetfulLane final : public LogLane {
 public:
  Lsn append(Record& record) override { return record.lsn = ++lsn_; }
  void append_side(SideWrite) override {}
  [[nodiscard]] std::size_t gathered_bytes() const noexcept override { return 0; }
  [[nodiscard]] bool in_flight() const noexcept override { return false; }
  void submit() override {}
  bool submit_inline() override { return true; }
  [[nodiscard]] bool collect() override { return true; }
  [[nodiscard]] Lsn durable_lsn(ShardIndex) const noexcept override { return lsn_; }
  [[nodiscard]] Lsn last_lsn(ShardIndex) const noexcept override { return lsn_; }

 private:
  Lsn lsn_ = 0;
};

/// Rows A, B, C ... of `row_seats` each, all joined.
[[nodiscard]] inline engine::Layout make_hall(std::size_t rows, std::size_t row_seats) {
  engine::LayoutSpec spec;
  for (std::size_t row = 0; row < rows; ++row) {
    engine::RowSpec& last = spec.rows.emplace_back();
    last.name = std::string(1, static_cast<char>('A' + row));
    for (std::size_t seat = 0; seat < row_seats; ++seat) {
      engine::SeatSpec& one = last.seats.emplace_back();
      one.number = static_cast<std::uint16_t>(seat + 1);
      one.x = static_cast<std::int16_t>(seat * 10);
      one.y = static_cast<std::int16_t>(row * 10);
      one.joined = seat + 1 < row_seats;
    }
  }
  return std::move(engine::Layout::make(spec).value());
}

inline constexpr Instant bench_now = instant_from_ms(1'800'000'000'000);

/// One shard with `shows` shows of 200 seats, numbered from 1.
class World {
 public:
  explicit World(std::uint32_t shows) : shard_(0, shared_, bench_now) {
    shard_.attach(lane_);
    const engine::Layout* hall = shared_.layouts.intern(make_hall(10, 20)).value().layout;
    engine::ShowTerms terms;
    terms.layout_hash = hall->hash();
    terms.price_standard = 1'500;
    terms.price_premium = 2'200;
    terms.start = bench_now + std::chrono::hours{48};
    terms.end = terms.start + std::chrono::hours{2};
    shard_.define_layout(*hall, bench_now);
    for (std::uint32_t number = 1; number <= shows; ++number) {
      shard_.open_show(static_cast<ShowNumber>(number), terms, bench_now);
    }
    round();
  }

  /// Ends a round as the runner does: what was decided becomes what seat maps show.
  void round() {
    shard_.seal();
    shard_.durable([](ShowNumber) {});
  }
  [[nodiscard]] engine::Shard& shard() noexcept { return shard_; }
  [[nodiscard]] const engine::Shard& shard() const noexcept { return shard_; }

 private:
  ForgetfulLane lane_;
  engine::SharedTables shared_;
  engine::Shard shard_;
};

/// A reserve of two seats side by side; `pair` counts them through the hall.
[[nodiscard]] inline Command reserve_of(std::uint32_t show, std::uint32_t pair, std::uint64_t user) {
  Command command;
  command.type = CommandType::reserve;
  command.show = static_cast<ShowNumber>(show);
  command.user = static_cast<UserNumber>(user);
  command.random = mix64(user ^ (std::uint64_t{show} << 32U));
  command.now = bench_now;
  command.seat_count = 2;
  command.seats[0] = static_cast<SeatIndex>(pair * 2);
  command.seats[1] = static_cast<SeatIndex>(pair * 2 + 1);
  return command;
}
/// Makes `command` the release of what was reserved. What it held else stays: nobody looks at it.
inline void name_in(Command& command, const Command& reserve, const Reply& reserved) {
  command.type = CommandType::release;
  command.show = reserve.show;
  command.user = reserve.user;
  command.sequence = reserved.sequence;
  command.id_random = reserved.id_random;
  command.now = reserve.now;
}

}  // namespace usher::bench
