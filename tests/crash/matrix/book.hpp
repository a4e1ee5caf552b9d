#pragma once
/// What the workload did and what was acknowledged, as it can be told from a prefix of the journal; and whether a
/// recovered log agrees. Obvious and slow on purpose. For one thread.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/crash/matrix/journal.hpp"
#include "usher/log.hpp"
#include "wal/log.hpp"

namespace usher::crash {

inline constexpr std::size_t shard_count = 2;
inline constexpr std::size_t shard_total = shard_count + 1;
inline constexpr std::size_t actor_count = 4;
inline constexpr std::uint8_t actor_kind = 1;

/// One actor of the workload: all records whose number is its own modulo actor_count, folded.
struct Actor {
  Lsn lsn = 0;
  std::uint64_t count = 0;
  std::uint64_t digest = 0;
  void apply(const Record& record);
  [[nodiscard]] Bytes encode() const;
  [[nodiscard]] static std::optional<Actor> decode(const CheckpointRow& row);
};

/// Three seats reserved; all of it follows from `number`.
void fill_record(Record& record, ShardIndex shard, std::uint32_t number);
[[nodiscard]] std::size_t actor_of(const Record& record) noexcept;

/// One shard of the recovered state.
struct ShardState final : ReplayTarget {
  std::array<Actor, actor_count> actors;
  Status restore(const CheckpointRow& row) override;
  Status replay(const Record& record) override;
};

class Book {
 public:
  enum Note : std::uint32_t { appended = 1, acknowledged = 2, person_written = 3, person_acknowledged = 4 };

  void apply(const Op& op);
  void append(ShardIndex shard, std::uint32_t number) { shards_[shard].numbers.push_back(number); }
  void acknowledge(ShardIndex shard, Lsn lsn) { shards_[shard].acknowledged = lsn; }
  [[nodiscard]] Actor actor_at(ShardIndex shard, std::size_t actor, Lsn lsn) const;
  [[nodiscard]] std::uint32_t next_number() const noexcept { return next_number_; }

  /// Returns: what is wrong with the recovered log; empty when nothing is. Afterwards the book goes on from there.
  [[nodiscard]] std::string judge(const std::vector<Lsn>& tails, const std::vector<ShardState>& states,
                                  const std::map<std::string, std::uint64_t>& people);

 private:
  struct Shard {
    std::vector<std::uint32_t> numbers;  ///< by LSN - 1
    Lsn acknowledged = 0;
  };
  struct Person {
    std::uint64_t written = 0;
    std::uint64_t acknowledged = 0;
  };
  std::array<Shard, shard_total> shards_;
  std::map<std::string, Person> people_;
  std::uint32_t next_number_ = 1;
};

}  // namespace usher::crash
