/// Writes the binary seeds of tests/fuzz/corpus, by the encoders themselves: usher_fuzz_seeds FOLDER. The seeds that
/// are texts are there as they were written by hand.

#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "engine/admission/room_settings.hpp"
#include "engine/catalog/entities.hpp"
#include "tests/support/workload.hpp"
#include "wal/anchor.hpp"
#include "wal/blob.hpp"
#include "wal/codec.hpp"
#include "wal/sim_store.hpp"

using namespace usher;

namespace {

std::filesystem::path top;

void write(const std::string& name, const std::string& bytes) {
  std::filesystem::create_directories((top / name).parent_path());
  std::ofstream(top / name, std::ios::binary) << bytes;
}

std::string text_of(const Bytes& bytes) {
  return {bytes.begin(), bytes.end()};
}

/// The piece of replay_fuzz: kind, size, content.
std::string piece(char kind, const std::string& content) {
  const auto size = static_cast<unsigned>(content.size());
  return std::string{kind, static_cast<char>(size % 256), static_cast<char>(size / 256)} + content;
}

void write_records(const std::vector<Record>& records) {
  std::map<EventType, int> seen;
  std::string all;
  for (const Record& record : records) {
    wal::BlobBuffer out;
    wal::encode_record(record, instant_from_ms(1'000), out);
    const std::string bytes{out.view()};
    if (all.size() < 4'000) all += piece('R', bytes);
    if (record.events.empty() || ++seen[record.events[0].type] > 1) continue;
    write("wal/record-" + std::to_string(static_cast<int>(record.events[0].type)), "R" + bytes);
  }
  write("replay/records", all);
}

void write_blob(const std::vector<Record>& records) {
  wal::BlobBuffer blob;
  (void)blob.reserve(wal::blob_header_bytes);
  blob.advance(wal::blob_header_bytes);
  wal::BlobHeader header;
  header.first_lsn = 1;
  header.base = records[0].now;
  for (; header.count < 3; ++header.count) wal::encode_record(records[header.count], header.base, blob);
  wal::seal_blob(header, blob);
  write("wal/blob", "B" + std::string{blob.view()});
}

void write_rows(engine::Shard& shard) {
  std::vector<CheckpointRow> rows;
  (void)shard.begin_checkpoint();
  while (shard.collect_rows(1'000'000, rows)) {
  }
  std::map<int, int> seen;
  for (const CheckpointRow& row : rows) {
    std::string content{static_cast<char>(row.kind), static_cast<char>(row.key)};
    content += text_of(row.state);
    if (++seen[row.kind] > 2 || content.size() > 4'000) continue;
    const std::string name = "row-" + std::to_string(row.kind) + "-" + std::to_string(seen[row.kind]);
    write("replay/" + name, piece('K', content));
    if (row.kind == static_cast<std::uint8_t>(engine::CheckpointKind::layout))
      write("stored/layout", "L" + text_of(row.state));
  }
}

void write_stored() {
  Bytes bytes;
  engine::ShowTerms terms;
  terms.price_standard = 1'500;
  terms.start = instant_from_ms(1'800'000'000'000);
  terms.end = instant_from_ms(1'800'007'200'000);
  engine::encode(terms, bytes);
  write("stored/terms", "T" + text_of(bytes));
  bytes.clear();
  engine::RoomSettings settings;
  settings.id = "premiere";
  settings.shows = {static_cast<ShowNumber>(1), static_cast<ShowNumber>(2)};
  engine::encode(settings, bytes);
  write("stored/room", "R" + text_of(bytes));
  bytes.clear();
  engine::encode_entry(engine::Screen{"s9", "t9", "Nine", 1, 1}, bytes);
  write("stored/screen", "E" + text_of(bytes));
  bytes.clear();
  engine::encode_entry(engine::ShowStatusChange{static_cast<ShowNumber>(2), engine::ShowStatus::cancelled}, bytes);
  write("stored/status", "E" + text_of(bytes));
}

void write_anchor() {
  wal::SimDisk disk;
  wal::SimStore store(disk);
  wal::AnchorState state;
  state.shards.resize(3);
  wal::Anchor anchor(store, state);
  anchor.set(1, 7, {});
  USHER_ASSERT(anchor.write().ok());
  anchor.settle();
  USHER_ASSERT(anchor.write().ok());
  disk.edit_anchor(
      [](std::string(&slots)[2]) { write("wal/anchor", "A" + slots[0].substr(0, 144) + slots[1].substr(0, 144)); });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 1;
  top = argv[1];
  testing::Workload work(3);
  for (int step = 0; step < 1'500; ++step) USHER_ASSERT(work.step().empty());
  work.world.commit();
  const std::vector<Record> records = work.world.log.records(0);
  write_records(records);
  write_blob(records);
  write_rows(work.world.shard);
  write_stored();
  write_anchor();
  return 0;
}
