#pragma once
/// Crowd: the people of a sale. Each comes at a time of their own, whatever the server does (open loop), looks, thinks,
/// chooses, pays or does not, as the scenario says; a call counts from the moment when the person meant to make it.
/// One thread, that of the io_context. It never believes anything but answers; what they said goes to the ledger.
///
/// A person is always in one of three states: waiting for a time (in `due_`), waiting for an answer (in the wire), or
/// gone. So nobody needs more than a step and what was chosen, and 100,000 people fit in some 50 MB.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <queue>
#include <string>
#include <vector>

#include "bench/flash_sale/ledger.hpp"
#include "bench/flash_sale/tally.hpp"
#include "bench/flash_sale/venue.hpp"
#include "bench/flash_sale/wire.hpp"

namespace usher::flash {

/// Who the people say they are: signed tokens where a secret is known, else sessions that the server hands out.
struct Identities {
  std::string secret;
  std::string prefix = "flash";  ///< person 7 is flash-7
  /// Returns: the header line of a person, with its end; nothing without a secret.
  [[nodiscard]] std::string line_of(std::uint32_t person, std::string_view role = "customer") const;
};

class Crowd final : public Wire::Asker {
 public:
  using Clock = Wire::Clock;

  Crowd(boost::asio::io_context& io, Wire& wire, Venue& venue, const Scenario& scenario, Identities identities,
        std::uint64_t seed);

  /// Runs the sale until everybody is gone; `each_second` is called after every second of real time.
  void run(const std::function<void(const Second&)>& each_second);

  [[nodiscard]] const Tally& tally() const noexcept { return tally_; }
  [[nodiscard]] const Ledger& ledger() const noexcept { return ledger_; }
  /// Answers that no server that keeps its word gives, in words; the first thousand.
  [[nodiscard]] const std::vector<std::string>& complaints() const noexcept { return complaints_; }
  [[nodiscard]] std::uint32_t arrived() const noexcept { return arrived_; }
  [[nodiscard]] Clock::time_point began() const noexcept { return began_; }
  /// The header line of a person, as known by now.
  [[nodiscard]] const std::string& who(std::uint32_t person) const { return people_[person].who; }

  void on_answer(std::uint64_t token, const Response& response) override;
  void on_lost(std::uint64_t token) override;

 private:
  enum class Step : std::uint8_t { browse, map, reserve, release, book, poll, cancel, history, gone };
  struct Person {
    Step step = Step::browse;
    std::uint8_t tries = 0;       ///< choices that were refused
    std::uint8_t full_looks = 0;  ///< full seat maps seen
    std::uint8_t resends = 0;     ///< of the call under way
    std::uint8_t party = 1;
    bool abandons = false;
    bool releases = false;
    bool declined = false;  ///< the next card is no good
    bool cancels = false;
    bool came_back = false;
    std::uint32_t reads_left = 0;
    std::uint32_t show = 0;
    std::uint32_t keys = 0;  ///< idempotency keys used
    std::uint32_t expires_in_ms = 0;
    Clock::time_point intended{};  ///< of the call under way
    std::string who;
    std::string etag;
    std::string reservation;
    std::string booking;
    std::vector<std::uint32_t> seats;
  };
  struct Due {
    Clock::time_point at;
    std::uint32_t person;
    bool operator>(const Due& other) const noexcept { return at > other.at; }
  };
  using Nanoseconds = std::chrono::nanoseconds;

  // crowd.cpp: time and requests
  void arrive(std::uint32_t index);
  void alarm();
  void arm();
  void each_second();
  void after(std::uint32_t index, Step step, Nanoseconds wait);
  void act(std::uint32_t index, Clock::time_point intended);
  [[nodiscard]] std::string request_of(const Person& person, std::uint32_t index);
  [[nodiscard]] std::string key_of(const Person& person, std::uint32_t index) const;
  [[nodiscard]] Nanoseconds think(Duration mean);
  [[nodiscard]] bool chance(double share);
  [[nodiscard]] std::uint32_t pick_show();
  [[nodiscard]] std::uint8_t pick_party();
  void leave(std::uint32_t index, Outcome outcome);
  void complain(const Person& person, const Response& response);

  // crowd_answers.cpp: what people make of answers
  void on_browse(std::uint32_t index, const Response& response);
  void on_map(std::uint32_t index, const Response& response);
  void on_reserve(std::uint32_t index, const Response& response);
  void on_reserved(std::uint32_t index, const Response& response);
  void on_conflict(std::uint32_t index, std::string_view code);
  void on_release(std::uint32_t index, const Response& response);
  void on_book(std::uint32_t index, const Response& response);
  void on_booked(std::uint32_t index, const Response& response);
  void on_poll(std::uint32_t index, const Response& response);
  void on_cancel(std::uint32_t index, const Response& response);
  void on_history(std::uint32_t index, const Response& response);
  void after_booking(std::uint32_t index);
  void look_again(std::uint32_t index);
  [[nodiscard]] bool held_off(std::uint32_t index, const Response& response);
  void resend(std::uint32_t index, Nanoseconds wait);
  [[nodiscard]] Entry entry_of(Told told, std::uint32_t index) const;
  [[nodiscard]] static CallKind kind_of(Step step) noexcept;

  static constexpr std::uint8_t resends_max = 20;

  boost::asio::io_context& io_;
  Wire& wire_;
  Venue& venue_;
  const Scenario& scenario_;
  Identities identities_;
  Random random_;
  std::vector<Nanoseconds> arrivals_;
  std::vector<Person> people_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  boost::asio::steady_timer alarm_;
  boost::asio::steady_timer second_;
  std::function<void(const Second&)> each_second_;
  std::vector<double> popularity_;  ///< running sums
  std::vector<double> parties_;
  Tally tally_;
  Ledger ledger_;
  std::vector<std::string> complaints_;
  Clock::time_point began_{};
  Clock::time_point now_{};
  std::uint32_t arrived_ = 0;
};

}  // namespace usher::flash
