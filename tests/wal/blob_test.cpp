#include "wal/blob.hpp"

#include <doctest/doctest.h>

#include <cstring>

#include "tests/wal/support.hpp"
#include "wal/codec.hpp"

namespace usher::wal {
namespace {

BlobBuffer make_blob(ShardIndex shard, Lsn first, std::uint32_t count, const ChainHash& predecessor = {}) {
  BlobBuffer blob;
  (void)blob.reserve(blob_header_bytes);
  blob.advance(blob_header_bytes);
  BlobHeader header;
  header.shard = shard;
  header.count = count;
  header.epoch = 4;
  header.first_lsn = first;
  header.base = test::reserve(shard, 0).now;
  header.predecessor = predecessor;
  for (std::uint32_t n = 0; n < count; ++n) encode_record(test::reserve(shard, n), header.base, blob);
  seal_blob(header, blob);
  return blob;
}

TEST_CASE("blob: sealed and read: header and records are the same again") {
  ChainHash predecessor{};
  predecessor[31] = 9;
  const BlobBuffer blob = make_blob(63, 1'000, 5, predecessor);
  BlobHeader header;
  REQUIRE(read_blob_header(blob.view(), header) == BlobFault::none);
  CHECK(header.shard == 63);
  CHECK(header.first_lsn == 1'000);
  CHECK(header.last_lsn() == 1'004);
  CHECK(header.epoch == 4);
  CHECK(header.predecessor == predecessor);
  RecordReader reader{blob.view(), header};
  Record record;
  for (std::uint32_t n = 0; n < 5; ++n) {
    REQUIRE(reader.next(record));
    CHECK(record.lsn == 1'000 + n);
    CHECK(record.shard == 63);
    CHECK(test::same(record, test::reserve(63, n)));
  }
  CHECK_FALSE(reader.next(record));
  CHECK(reader.whole());
}

TEST_CASE("blob: every truncation, every longer one, every flipped bit: refused") {
  const BlobBuffer blob = make_blob(1, 1, 2);
  const std::string whole{blob.view()};
  BlobHeader header;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK(read_blob_header(std::string_view{whole}.substr(0, size), header) != BlobFault::none);
  }
  CHECK(read_blob_header(whole + '\0', header) == BlobFault::checksum);
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    REQUIRE(read_blob_header(flipped, header) != BlobFault::none);
  }
}

TEST_CASE("blob: a count that does not fit its records: the reader is not whole") {
  for (const std::uint32_t claimed : {1U, 3U}) {
    BlobBuffer blob = make_blob(1, 1, 2);
    BlobHeader header;
    REQUIRE(read_blob_header(blob.view(), header) == BlobFault::none);
    header.count = claimed;
    seal_blob(header, blob);
    REQUIRE(read_blob_header(blob.view(), header) == BlobFault::none);
    RecordReader reader{blob.view(), header};
    Record record;
    while (reader.next(record)) {
    }
    CHECK_FALSE(reader.whole());
  }
}

TEST_CASE("blob: newer version, no records, LSN 0 or beyond the end: told apart") {
  const auto fault_of = [](auto change) {
    BlobBuffer blob = make_blob(1, 1, 2);
    BlobHeader header;
    REQUIRE(read_blob_header(blob.view(), header) == BlobFault::none);
    change(header);
    seal_blob(header, blob);
    return read_blob_header(blob.view(), header);
  };
  CHECK(fault_of([](BlobHeader&) {}) == BlobFault::none);
  CHECK(fault_of([](BlobHeader& header) { header.version = 2; }) == BlobFault::version);
  CHECK(fault_of([](BlobHeader& header) { header.first_lsn = ~Lsn{0} - 1; }) == BlobFault::malformed);
  CHECK(fault_of([](BlobHeader& header) { header.count = 1'000; }) == BlobFault::malformed);
  CHECK(fault_of([](BlobHeader& header) { header.shard = 2'000; }) == BlobFault::malformed);
}

}  // namespace
}  // namespace usher::wal
