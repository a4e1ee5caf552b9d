/// Records and rows of checkpoints whose bytes are sound but whose content makes no sense: replayed or refused, never
/// an assertion. Lines of one byte `R`, `K` (restore a row) and two bytes of size, little-endian, before their content.

#include "engine/admission/room_settings.hpp"
#include "engine/catalog/entities.hpp"
#include "engine/shard/invariants.hpp"
#include "engine/shard/shard.hpp"
#include "engine/shard/system_shard.hpp"
#include "tests/engine/catalog/halls.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/support/test_shard.hpp"
#include "usher/bytes.hpp"
#include "wal/codec.hpp"

using namespace usher;

namespace {

/// A show of 40 seats, as the first records of the shard that is replayed into.
std::vector<Record> opened_show() {
  testing::TestShard live;
  const engine::LayoutSpec spec = testing::hall({"SSSS PPPP", "SSCAC SSS", "OSSSSSSSSSSSSSSSSSSS"});
  USHER_ASSERT(
      live.open(static_cast<ShowNumber>(1), spec, testing::usual_terms(live.intern(spec)), instant_from_ms(1'000)));
  return live.log.records(0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<Record> beginning = opened_show();
  engine::SharedTables shared;
  engine::Shard shard(0, shared, {});
  for (const Record& record : beginning) USHER_ASSERT(shard.replay(record).ok());
  Lsn lsn = beginning.back().lsn;
  std::string_view rest = fuzz::text_of(data, size);
  while (rest.size() >= 3) {
    const char kind = rest[0];
    const std::size_t bytes = static_cast<std::uint8_t>(rest[1]) + 256U * static_cast<std::uint8_t>(rest[2]);
    const std::string_view content = rest.substr(3, bytes);
    rest.remove_prefix(3 + content.size());
    if (kind == 'R') {
      ByteReader in{content};
      Record record;
      if (!wal::decode_record(in, instant_from_ms(1'000), record)) return 0;
      record.lsn = ++lsn;
      if (!shard.replay(record).ok()) return 0;
    } else if (!content.empty()) {
      CheckpointRow row;
      row.kind = static_cast<std::uint8_t>(content[0]);
      row.key = content.size() > 1 ? static_cast<std::uint8_t>(content[1]) : 0;
      row.lsn = lsn;
      row.state.assign(content.begin() + std::min<std::ptrdiff_t>(2, static_cast<std::ptrdiff_t>(content.size())),
                       content.end());
      if (!shard.restore(row).ok()) return 0;
    }
  }
  shard.finish_recovery();
  (void)engine::check_invariants(shard.state());
  return 0;
}
