#include "tests/crash/matrix/book.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace usher::crash {

void fill_record(Record& record, ShardIndex shard, std::uint32_t number) {
  record.clear();
  record.shard = shard;
  record.show = static_cast<ShowNumber>(1000 + number % 7);
  record.now = instant_from_ms(1'795'000'000'000 + number);
  record.actor = static_cast<UserNumber>(70'000 + number);
  record.events.emplace_back();
  Event& event = record.events.back();
  event.type = EventType::reserved;
  event.sequence = number;
  event.user = record.actor;
  event.random = mix64(number);
  event.amount = 4500;
  event.at = record.now + std::chrono::minutes{10};
  event.seat_count = static_cast<std::uint16_t>(1 + number % 5);
  for (std::uint32_t seat = 0; seat < event.seat_count; ++seat) {
    record.seats.push_back(static_cast<SeatIndex>(number % 400 + seat));
  }
}

std::size_t actor_of(const Record& record) noexcept {
  return record.events.empty() ? 0 : record.events[0].sequence % actor_count;
}

void Actor::apply(const Record& record) {
  lsn = record.lsn;
  ++count;
  digest = mix64(digest ^ static_cast<std::uint64_t>(to_ms(record.now)));
  for (const Event& event : record.events) {
    digest = mix64(digest ^ event.sequence) ^ event.random;
    digest = mix64(digest ^ static_cast<std::uint64_t>(event.amount) ^ static_cast<std::uint64_t>(to_ms(event.at)));
  }
  for (const SeatIndex seat : record.seats) digest = mix64(digest ^ seat);
}

Bytes Actor::encode() const {
  Bytes bytes(2 * sizeof(std::uint64_t));
  std::memcpy(bytes.data(), &count, sizeof count);
  std::memcpy(bytes.data() + sizeof count, &digest, sizeof digest);
  return bytes;
}

std::optional<Actor> Actor::decode(const CheckpointRow& row) {
  Actor actor;
  if (row.state.size() != sizeof actor.count + sizeof actor.digest) return std::nullopt;
  actor.lsn = row.lsn;
  std::memcpy(&actor.count, row.state.data(), sizeof actor.count);
  std::memcpy(&actor.digest, row.state.data() + sizeof actor.count, sizeof actor.digest);
  return actor;
}

Status ShardState::restore(const CheckpointRow& row) {
  const std::optional<Actor> actor = Actor::decode(row);
  if (row.kind != actor_kind || row.key >= actor_count || !actor) {
    return make_error(ErrorCode::corrupt, "a checkpoint row that nobody wrote");
  }
  actors[row.key] = *actor;
  return Done{};
}

Status ShardState::replay(const Record& record) {
  Actor& actor = actors[actor_of(record)];
  if (record.lsn > actor.lsn) actor.apply(record);
  return Done{};
}

void Book::apply(const Op& op) {
  if (op.kind != OpKind::note) return;
  const auto shard = static_cast<ShardIndex>(op.name.empty() ? 0 : op.name[0] - '0');
  switch (op.inode) {
    case appended:
      append(shard, static_cast<std::uint32_t>(op.offset));
      next_number_ = std::max(next_number_, static_cast<std::uint32_t>(op.offset) + 1);
      break;
    case acknowledged:
      acknowledge(shard, op.offset);
      break;
    case person_written:
      people_[std::string(op.name)].written = op.offset;
      break;
    case person_acknowledged:
      people_[std::string(op.name)].acknowledged = op.offset;
      break;
    default:
      break;
  }
}

Actor Book::actor_at(ShardIndex shard, std::size_t actor, Lsn lsn) const {
  Actor state;
  Record record;
  for (Lsn at = 1; at <= lsn; ++at) {
    const std::uint32_t number = shards_[shard].numbers[at - 1];
    if (number % actor_count != actor) continue;
    fill_record(record, shard, number);
    record.lsn = at;
    state.apply(record);
  }
  return state;
}

std::string Book::judge(const std::vector<Lsn>& tails, const std::vector<ShardState>& states,
                        const std::map<std::string, std::uint64_t>& people) {
  for (std::size_t index = 0; index < shard_total; ++index) {
    Shard& shard = shards_[index];
    const std::string name = "shard " + std::to_string(index) + ": ";
    const Lsn tail = tails[index];
    if (tail < shard.acknowledged) {
      return name + "LOST: acknowledged up to LSN " + std::to_string(shard.acknowledged) + ", recovered up to " +
             std::to_string(tail);
    }
    if (tail > shard.numbers.size()) return name + "records that nobody wrote, up to LSN " + std::to_string(tail);
    for (std::size_t actor = 0; actor < actor_count; ++actor) {
      const Actor expected = actor_at(static_cast<ShardIndex>(index), actor, tail);
      const Actor& found = states[index].actors[actor];
      if (found.count != expected.count || found.digest != expected.digest) {
        return name + "actor " + std::to_string(actor) + " at LSN " + std::to_string(tail) + " has another digest (" +
               std::to_string(found.count) + " records, expected " + std::to_string(expected.count) + ")";
      }
    }
    shard.numbers.resize(tail);
    shard.acknowledged = tail;
  }
  for (auto& [key, person] : people_) {
    const auto found = people.find(key);
    const std::uint64_t value = found == people.end() ? 0 : found->second;
    if (value < person.acknowledged || value > person.written) {
      return "person " + key + ": recovered " + std::to_string(value) + ", acknowledged " +
             std::to_string(person.acknowledged) + ", written " + std::to_string(person.written);
    }
    person.acknowledged = person.written = value;
  }
  return {};
}

}  // namespace usher::crash
