/// The log's bytes: a reserve of three seats as a record, and a blob of a thousand of them with checksum and chain.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

#include "usher/record.hpp"
#include "wal/blob.hpp"
#include "wal/codec.hpp"
#include "wal/crc32c.hpp"
#include "wal/sha256.hpp"

namespace {

using namespace usher;

constexpr Instant base = instant_from_ms(1'800'000'000'000);

void fill_reserve(Record& record, std::uint32_t number) {
  record.clear();
  record.show = static_cast<ShowNumber>(number % 15'000 + 1);
  record.now = base + Duration{number % 50};
  record.actor = static_cast<UserNumber>(mix64(number));
  Event& event = record.events.emplace_back();
  event.type = EventType::reserved;
  event.seat_count = 3;
  event.sequence = number % 100'000;
  event.user = record.actor;
  event.random = mix64(number + 1U);
  event.amount = 4'500;
  event.at = record.now + Duration{600'000};
  for (std::uint32_t seat = 0; seat < 3; ++seat) record.seats.push_back(static_cast<SeatIndex>(number % 190 + seat));
}

void codec_encode_reserve(benchmark::State& state) {
  Record record;
  fill_reserve(record, 12'345);
  wal::BlobBuffer out;
  for (auto _ : state) {
    out.clear();
    wal::encode_record(record, base, out);
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["bytes"] = static_cast<double>(out.size());
}
BENCHMARK(codec_encode_reserve);

/// A sealed blob of `count` reserves.
wal::BlobBuffer make_blob(std::uint32_t count) {
  wal::BlobBuffer blob;
  (void)blob.reserve(wal::blob_header_bytes);
  blob.advance(wal::blob_header_bytes);
  Record record;
  for (std::uint32_t i = 0; i < count; ++i) {
    fill_reserve(record, i);
    wal::encode_record(record, base, blob);
  }
  wal::BlobHeader header;
  header.count = count;
  header.first_lsn = 1;
  header.base = base;
  header.size_bytes = static_cast<std::uint32_t>(blob.size() - wal::blob_header_bytes);
  wal::seal_blob(header, blob);
  return blob;
}

void codec_decode_reserve(benchmark::State& state) {
  constexpr std::uint32_t count = 1'000;
  const wal::BlobBuffer blob = make_blob(count);
  wal::BlobHeader header;
  if (wal::read_blob_header(blob.view(), header) != wal::BlobFault::none) state.SkipWithError("not a blob");
  Record record;
  for (auto _ : state) {
    wal::RecordReader reader(blob.view(), header);
    while (reader.next(record)) benchmark::DoNotOptimize(record.lsn);
    if (!reader.whole()) state.SkipWithError("malformed");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * count);
}
BENCHMARK(codec_decode_reserve);

void codec_seal_blob_of_1000(benchmark::State& state) {
  wal::BlobBuffer blob = make_blob(1'000);
  wal::BlobHeader header;
  if (wal::read_blob_header(blob.view(), header) != wal::BlobFault::none) state.SkipWithError("not a blob");
  for (auto _ : state) {
    header.predecessor = wal::Sha256::digest(blob.view());
    wal::seal_blob(header, blob);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(blob.size()));
}
BENCHMARK(codec_seal_blob_of_1000);

void codec_crc32c_of_64kB(benchmark::State& state) {
  const std::string bytes(65'536, 'x');
  for (auto _ : state) benchmark::DoNotOptimize(wal::crc32c(0, bytes));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * 65'536);
}
BENCHMARK(codec_crc32c_of_64kB);

}  // namespace
