#pragma once
/// Rehearsal: gives a recording's commands to a server again, in their order and at their times, `speed` times as fast.
/// Demand is fixed: whoever was refused then and is not now does nothing more, and whoever paid then pays again if the
/// reservation is there. One thread, that of the io_context.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <unordered_map>
#include <vector>

#include "bench/flash_sale/crowd.hpp"
#include "bench/flash_sale/demand.hpp"

namespace usher::flash {

struct RehearsalCounts {
  std::uint64_t sent = 0;
  std::uint64_t fell_away = 0;  ///< followed a reservation or booking that was not given this time
  std::uint64_t repeats = 0;    ///< of idempotency keys in the recording: not asked again
  std::uint64_t lost = 0;       ///< without an answer
  std::uint64_t others = 0;     ///< of waiting rooms and waiting lists: not played
};

class Rehearsal final : public Wire::Asker {
 public:
  Rehearsal(boost::asio::io_context& io, Wire& wire, Venue& venue, const Recording& recording, std::string secret,
            double speed);

  /// Runs to the last answer; `each_second(sent)` is called every second.
  void run(const std::function<void(const RehearsalCounts&)>& each_second);

  [[nodiscard]] const std::vector<DemandEvent>& events() const noexcept { return events_; }
  [[nodiscard]] const RehearsalCounts& counts() const noexcept { return counts_; }
  [[nodiscard]] const bench::Histogram& latency() const noexcept { return latency_; }  ///< of reserves
  [[nodiscard]] const bench::Histogram& lateness() const noexcept { return late_; }

  void on_answer(std::uint64_t token, const Response& response) override;
  void on_lost(std::uint64_t token) override;

 private:
  using Clock = Wire::Clock;
  /// A reservation of the recording, and what it is called this time.
  struct Follow {
    enum class State : std::uint8_t { asked, given, refused } state = State::asked;
    std::string id;
    std::string booking;
    std::vector<std::size_t> waiting;  ///< commands that came before its answer
  };

  void arm();
  void play_due();
  void play(std::size_t at);
  void send(std::size_t at);
  [[nodiscard]] bool follows(std::size_t at, Follow*& follow);
  [[nodiscard]] std::string request_of(const server::journal::Decision& decision, const Follow* follow);
  [[nodiscard]] std::string payment_request(const server::journal::Decision& decision, const Follow& follow);
  [[nodiscard]] std::string seats_json(const server::journal::Decision& decision) const;
  [[nodiscard]] const std::string& line_of(const server::journal::Decision& decision);
  void settle(std::size_t at, Follow& follow, const Response& response);
  [[nodiscard]] Clock::time_point due(std::size_t at) const;
  [[nodiscard]] std::int64_t sale_ms(Clock::time_point time) const;

  boost::asio::io_context& io_;
  Wire& wire_;
  Venue& venue_;
  const Recording& recording_;
  std::string secret_;
  double speed_;
  boost::asio::steady_timer alarm_;
  std::unordered_map<std::uint32_t, std::size_t> show_at_;  ///< in the venue, by number
  std::unordered_map<std::uint64_t, Follow> follows_;
  std::map<std::pair<std::uint64_t, std::uint32_t>, std::size_t> outcomes_;  ///< of payments: by reservation, attempt
  std::unordered_map<std::uint64_t, std::string> lines_;                     ///< by user
  std::vector<DemandEvent> events_;
  RehearsalCounts counts_;
  bench::Histogram latency_;
  bench::Histogram late_;
  std::size_t next_ = 0;
  std::size_t under_way_ = 0;
  Clock::time_point began_{};
};

struct RehearseOptions {
  std::string journal;
  std::string catalog;
  std::string usher;
  std::string report;
  std::vector<std::string> settings;
  double speed = 1;
  std::uint32_t connections = 1'000;
};

/// Returns: 0 when the rehearsal was held, 2 when it could not be.
[[nodiscard]] int run_rehearsal(const RehearseOptions& options);

}  // namespace usher::flash
