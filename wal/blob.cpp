#include "wal/blob.hpp"

#include <cstring>

#include "usher/assert.hpp"
#include "usher/limits.hpp"
#include "wal/codec.hpp"
#include "wal/crc32c.hpp"

namespace usher::wal {
namespace {

constexpr std::uint32_t blob_magic = 0x314c4255;  // "UBL1" as it lies in the file
constexpr std::size_t crc_first = 4;
constexpr std::size_t crc_over_first = 8;
constexpr std::size_t record_bytes_min = 3;  // flags, now, event type

template <class T>
void store(std::uint8_t*& at, T value) noexcept {
  std::memcpy(at, &value, sizeof value);
  at += sizeof value;
}

}  // namespace

std::string_view describe(BlobFault fault) noexcept {
  switch (fault) {
    case BlobFault::none:
      return "nothing";
    case BlobFault::too_short:
      return "the blob is cut short";
    case BlobFault::not_a_blob:
      return "the bytes are not a blob";
    case BlobFault::checksum:
      return "the checksum does not fit the bytes";
    case BlobFault::version:
      return "the blob was written by a newer program";
    case BlobFault::malformed:
      return "the header contradicts itself";
  }
  return "";
}

void seal_blob(const BlobHeader& header, BlobBuffer& blob) noexcept {
  USHER_ASSERT(blob.size() > blob_header_bytes && header.count > 0 && header.first_lsn > 0);
  std::uint8_t* at = blob.data();
  store(at, blob_magic);
  store(at, std::uint32_t{0});
  store(at, header.version);
  store(at, header.shard);
  store(at, header.count);
  store(at, header.epoch);
  store(at, header.first_lsn);
  store(at, static_cast<std::uint64_t>(to_ms(header.base)));
  store(at, static_cast<std::uint32_t>(blob.size() - blob_header_bytes));
  store(at, std::uint32_t{0});
  std::memcpy(at, header.predecessor.data(), header.predecessor.size());
  const std::uint32_t crc = crc32c(0, blob.data() + crc_over_first, blob.size() - crc_over_first);
  std::memcpy(blob.data() + crc_first, &crc, sizeof crc);
}

BlobFault read_blob_header(std::string_view blob, BlobHeader& header) noexcept {
  if (blob.size() < blob_header_bytes) return BlobFault::too_short;
  ByteReader in{blob};
  if (in.fixed<std::uint32_t>() != blob_magic) return BlobFault::not_a_blob;
  const auto crc = in.fixed<std::uint32_t>();
  if (crc != crc32c(0, blob.substr(crc_over_first))) return BlobFault::checksum;
  header.version = in.fixed<std::uint16_t>();
  if (header.version != blob_version) return BlobFault::version;
  header.shard = in.fixed<std::uint16_t>();
  header.count = in.fixed<std::uint32_t>();
  header.epoch = in.fixed<std::uint64_t>();
  header.first_lsn = in.fixed<std::uint64_t>();
  header.base = instant_from_ms(static_cast<std::int64_t>(in.fixed<std::uint64_t>()));
  header.size_bytes = in.fixed<std::uint32_t>();
  const auto reserved = in.fixed<std::uint32_t>();
  std::memcpy(header.predecessor.data(), in.at(), header.predecessor.size());
  const bool sound = reserved == 0 && header.size_bytes == blob.size() - blob_header_bytes && header.first_lsn > 0 &&
                     header.count > 0 && header.count <= header.size_bytes / record_bytes_min &&
                     header.first_lsn <= ~Lsn{0} - header.count && header.shard <= limits::shards_max;
  return sound ? BlobFault::none : BlobFault::malformed;
}

bool RecordReader::decode_record_at(Record& record) {
  return decode_record(in_, header_.base, record);
}

}  // namespace usher::wal
