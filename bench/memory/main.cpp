/// What an idle show of 200 seats costs the engine: heap and resident memory before and after opening many of them,
/// spread over 64 shards as in a server.
///
/// Usage: usher_show_memory [--shows N]
/// Prints one JSON object: bytes_per_show (asked of the heap), resident_bytes_per_show (as the system sees it).

#include <malloc.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string_view>

#include "bench/micro/show_world.hpp"
#include "usher/limits.hpp"

namespace {

std::uint64_t heap_bytes() {
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

std::uint64_t resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  unsigned long long total = 0;
  unsigned long long resident = 0;
  if (file == nullptr || std::fscanf(file, "%llu %llu", &total, &resident) != 2) std::exit(1);
  std::fclose(file);
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// Shards as a server has them, with shows spread over them in turn.
class House {
 public:
  explicit House(std::uint32_t shows) {
    using namespace usher;
    const engine::Layout* hall = shared_.layouts.intern(bench::make_hall(10, 20)).value().layout;
    engine::ShowTerms terms;
    terms.layout_hash = hall->hash();
    terms.price_standard = 1'500;
    terms.price_premium = 2'200;
    terms.start = bench::bench_now + std::chrono::hours{48};
    terms.end = terms.start + std::chrono::hours{2};
    for (std::size_t index = 0; index < limits::shards_default; ++index) {
      engine::Shard& shard = shards_.emplace_back(static_cast<ShardIndex>(index), shared_, bench::bench_now);
      shard.attach(lane_);
      shard.define_layout(*hall, bench::bench_now);
    }
    for (std::uint32_t number = 1; number <= shows; ++number) {
      engine::Shard& shard = shards_[number % shards_.size()];
      shard.open_show(static_cast<ShowNumber>(number), terms, bench::bench_now);
      if (number % round_shows == 0 || number == shows) end_round();
    }
  }
  [[nodiscard]] std::size_t shows() const noexcept {
    std::size_t count = 0;
    for (const usher::engine::Shard& shard : shards_) count += shard.state().shows.size();
    return count;
  }

 private:
  static constexpr std::uint32_t round_shows = 4'096;

  void end_round() {
    for (usher::engine::Shard& shard : shards_) {
      shard.seal();
      shard.durable([](usher::ShowNumber) {});
    }
  }

  usher::bench::ForgetfulLane lane_;
  usher::engine::SharedTables shared_;
  std::deque<usher::engine::Shard> shards_;
};

}  // namespace

int main(int argc, char** argv) {
  std::uint32_t shows = 1'000'000;
  if (argc == 3 && std::string_view(argv[1]) == "--shows") shows = static_cast<std::uint32_t>(std::atol(argv[2]));
  const std::uint64_t heap = heap_bytes();
  const std::uint64_t resident = resident_bytes();
  const House house(shows);
  const auto per_show = [&](std::uint64_t before, std::uint64_t after) {
    return static_cast<double>(after - before) / static_cast<double>(shows);
  };
  std::printf("{\"shows\": %u, \"bytes_per_show\": %.1f, \"resident_bytes_per_show\": %.1f}\n", shows,
              per_show(heap, heap_bytes()), per_show(resident, resident_bytes()));
  return house.shows() == shows ? 0 : 1;
}
