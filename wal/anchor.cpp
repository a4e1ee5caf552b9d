#include "wal/anchor.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "usher/assert.hpp"
#include "usher/bytes.hpp"
#include "usher/mutant.hpp"
#include "wal/crc32c.hpp"

namespace usher::wal {
namespace {

constexpr std::uint32_t anchor_magic = 0x314e4155;  // "UAN1"
constexpr std::uint16_t anchor_version = 1;
constexpr std::size_t head_bytes = 24;
constexpr std::size_t entry_bytes = 40;
constexpr std::size_t crc_over_first = 8;

std::size_t used_bytes(std::size_t shard_total) noexcept {
  return head_bytes + shard_total * entry_bytes;
}

template <class T>
void store(char*& at, const T& value) noexcept {
  std::memcpy(at, &value, sizeof value);
  at += sizeof value;
}

void encode(const AnchorState& state, std::string& out) {
  char* at = out.data();
  store(at, anchor_magic);
  store(at, std::uint32_t{0});
  store(at, anchor_version);
  store(at, static_cast<std::uint16_t>(state.shards.size()));
  store(at, std::uint32_t{0});
  store(at, state.counter);
  for (const AnchorEntry& entry : state.shards) {
    store(at, entry.lsn);
    store(at, entry.hash);
  }
  const auto used = static_cast<std::size_t>(at - out.data());
  const std::uint32_t crc = crc32c(0, out.data() + crc_over_first, used - crc_over_first);
  std::memcpy(out.data() + 4, &crc, sizeof crc);
}

enum class SlotFault : std::uint8_t { none, empty, damaged, version };

SlotFault decode(std::string_view bytes, std::size_t shard_total, AnchorState& state) {
  if (bytes.find_first_not_of('\0') == std::string_view::npos) return SlotFault::empty;  // never written
  const std::size_t used = used_bytes(shard_total);
  ByteReader in{bytes};
  if (bytes.size() < used || in.fixed<std::uint32_t>() != anchor_magic) return SlotFault::damaged;
  const auto crc = in.fixed<std::uint32_t>();
  if (crc != crc32c(0, bytes.substr(crc_over_first, used - crc_over_first))) return SlotFault::damaged;
  if (in.fixed<std::uint16_t>() != anchor_version) return SlotFault::version;
  if (in.fixed<std::uint16_t>() != shard_total || in.fixed<std::uint32_t>() != 0) return SlotFault::damaged;
  state.counter = in.fixed<std::uint64_t>();
  state.shards.resize(shard_total);
  for (AnchorEntry& entry : state.shards) {
    entry.lsn = in.fixed<std::uint64_t>();
    std::memcpy(entry.hash.data(), in.raw(entry.hash.size()).data(), entry.hash.size());
  }
  return SlotFault::none;
}

}  // namespace

std::size_t anchor_slot_bytes(std::size_t shard_total) noexcept {
  return (used_bytes(shard_total) + anchor_page_bytes - 1) / anchor_page_bytes * anchor_page_bytes;
}

Result<AnchorState> read_anchor(Store& store, std::size_t shard_total) {
  AnchorState best;
  unsigned sound = 0;
  bool damaged = false;
  for (unsigned slot = 0; slot < 2; ++slot) {
    Result<std::string> bytes = store.read_anchor_slot(slot, anchor_slot_bytes(shard_total));
    if (!bytes) return bytes.error();
    AnchorState state;
    const SlotFault fault = decode(bytes.value(), shard_total, state);
    if (fault == SlotFault::version) return make_error(ErrorCode::version, "the anchor was written by a newer program");
    damaged = damaged || fault == SlotFault::damaged;
    if (fault != SlotFault::none) continue;
    ++sound;
    if (sound == 1 || state.counter > best.counter) best = std::move(state);
  }
  if (sound == 0 && damaged) return make_error(ErrorCode::corrupt, "both slots of the anchor are damaged");
  if (sound == 0) return make_error(ErrorCode::not_found, "there is no anchor");
  best.slot_torn = damaged;
  return best;
}

Result<bool> anchor_tells_of_a_log(Store& store, std::size_t shard_total) {
  const Result<std::string> later = store.read_anchor_slot(0, anchor_slot_bytes(shard_total));
  if (!later) return later.error();
  AnchorState state;
  if (decode(later.value(), shard_total, state) != SlotFault::empty) return true;
  const Result<std::string> first = store.read_anchor_slot(1, anchor_slot_bytes(shard_total));
  if (!first) return first.error();
  const SlotFault fault = decode(first.value(), shard_total, state);
  if (fault == SlotFault::version) return true;
  if (fault != SlotFault::none) return false;
  return std::any_of(state.shards.begin(), state.shards.end(),
                     [](const AnchorEntry& entry) { return entry != AnchorEntry{}; });
}

Anchor::Anchor(Store& store, AnchorState state)
    : store_(store), state_(std::move(state)), bytes_(anchor_slot_bytes(state_.shards.size()), '\0') {}

Status Anchor::write() {
  state_.counter += settled_ || USHER_MUTANT(43, "unsynced writes go to both slots of the anchor") ? 1 : 2;
  settled_ = false;
  encode(state_, bytes_);
  return store_.write_anchor_slot(static_cast<unsigned>(state_.counter % 2), bytes_);
}

}  // namespace usher::wal
