/// Blobs and records of the log, rows of checkpoints, the anchor: as they are, and with the checksum made to fit, so
/// that what lies behind it is reached. The first byte picks which.

#include <algorithm>
#include <cstring>

#include "tests/fuzz/fuzz.hpp"
#include "wal/anchor.hpp"
#include "wal/blob.hpp"
#include "wal/checkpoint_row.hpp"
#include "wal/codec.hpp"
#include "wal/crc32c.hpp"
#include "wal/sim_store.hpp"

using namespace usher;
using namespace usher::wal;

namespace {

void mend_crc(std::string& bytes, std::size_t crc_at, std::size_t from, std::size_t to) {
  if (to > bytes.size() || from > to || crc_at + 4 > bytes.size()) return;
  const std::uint32_t crc = crc32c(0, std::string_view{bytes}.substr(from, to - from));
  std::memcpy(bytes.data() + crc_at, &crc, sizeof crc);
}

void read_blob(std::string_view bytes) {
  BlobHeader header;
  if (read_blob_header(bytes, header) != BlobFault::none) return;
  RecordReader reader(bytes, header);
  Record record;
  while (reader.next(record)) {
  }
  USHER_ASSERT(reader.done() <= header.count);
}

/// What is decoded is encoded again, and decoded to the same.
void read_record(std::string_view bytes) {
  ByteReader in{bytes};
  Record record;
  if (!decode_record(in, instant_from_ms(1'000), record)) return;
  BlobBuffer out;
  encode_record(record, instant_from_ms(1'000), out);
  ByteReader again{out.view()};
  Record other;
  USHER_ASSERT(decode_record(again, instant_from_ms(1'000), other) && again.complete());
  USHER_ASSERT(other.events.size() == record.events.size() && other.seats == record.seats && other.now == record.now);
}

void read_row(std::string_view rest) {
  const std::string_view key = rest.substr(0, std::min<std::size_t>(rest.size(), 11));
  std::string value{rest.substr(key.size())};
  CheckpointRow row;
  if (value.size() >= 5) {
    const std::uint32_t crc = checkpoint_crc(key, value);
    std::memcpy(value.data() + 1, &crc, sizeof crc);
  }
  if (decode_checkpoint(key, value, row) == RowFault::none) {
    std::string again;
    encode_checkpoint(key, row, again);
    USHER_ASSERT(again == value);
  }
  ShardTail base;
  (void)decode_base(rest, base);
  std::uint64_t number = 0;
  (void)decode_number(rest, number);
}

void read_slots(std::string_view rest, bool mend) {
  constexpr std::size_t shards = 3;
  const std::size_t size = anchor_slot_bytes(shards);
  SimDisk disk;
  SimStore store(disk);
  disk.edit_anchor([&](std::string(&slots)[2]) {
    for (std::string& slot : slots) {
      slot = std::string{rest.substr(0, std::min<std::size_t>(rest.size(), 24 + shards * 40))};
      rest.remove_prefix(slot.size());
      if (!slot.empty()) slot.resize(size);
      if (mend) mend_crc(slot, 4, 8, 24 + shards * 40);
    }
  });
  (void)read_anchor(store, shards);
  (void)anchor_tells_of_a_log(store, shards);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest = fuzz::text_of(data + 1, size - 1);
  switch (data[0]) {
    case 'B': {
      read_blob(rest);
      std::string mended{rest};
      mend_crc(mended, 4, 8, mended.size());
      read_blob(mended);
      break;
    }
    case 'R':
      read_record(rest);
      break;
    case 'C':
      read_row(rest);
      break;
    case 'A':
      read_slots(rest, false);
      read_slots(rest, true);
      break;
    default:
      break;
  }
  return 0;
}
