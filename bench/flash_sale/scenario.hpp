#pragma once
/// Scenario: how a flash sale goes, read from a TOML file. Times are sale time; `time_scale` says how many of its
/// seconds pass in one. Pure data.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "usher/result.hpp"
#include "usher/time.hpp"

namespace usher::flash {

/// When people come.
struct Arrivals {
  std::uint32_t people = 1'000;
  Duration duration{std::chrono::minutes{30}};  ///< within which all come
  double spike_factor = 40;                     ///< the peak, as a multiple of the base load; 1: no spike
  Duration spike_at{std::chrono::minutes{2}};   ///< reached within one second of real time
  Duration spike_decay{std::chrono::minutes{8}};
};

/// The shows that are brought along, all of one movie in one theater.
struct Stage {
  std::uint32_t shows = 20;
  std::vector<std::string> rows{"A-L 6S_8S_6S", "M-O 6P_8P_6P"};  ///< "names seats", as in a catalog's layouts
  std::vector<std::uint32_t> starts_in_hours{72};                 ///< by turns
  std::int64_t price_standard = 1'500;
  std::int64_t price_premium = 2'200;
};

/// What people are like. Shares are of those who get so far.
struct People {
  std::uint32_t reads = 0;                    ///< pages looked at before the seat map, beyond the showtimes
  double popularity = 1.0;                    ///< the show ranked k is wanted 1 / k^popularity as much; 0: all alike
  std::vector<double> party{3, 6, 2, 2};      ///< weights of groups of 1, 2, 3, ...
  double centre = 0.35;                       ///< how surely the best free group is taken, else the next one
  Duration look{std::chrono::seconds{20}};    ///< at a page, on average
  Duration choose{std::chrono::seconds{25}};  ///< at the seat map
  Duration pay{std::chrono::seconds{90}};     ///< between the reservation and the card
  Duration again{std::chrono::seconds{8}};    ///< between a refusal and the next choice
  std::uint32_t tries = 5;                    ///< choices before giving up
  std::uint32_t full_looks = 2;               ///< full seat maps seen before giving up
  double decline_share = 0.04;                ///< whose first card is declined
  double second_card_share = 0.8;             ///< of those, who have another one
  double abandon_share = 0.08;                ///< let a reservation expire
  double come_back_share = 0;                 ///< of those, who try once more after that
  double release_share = 0.04;                ///< give seats back by themselves
  double cancel_share = 0.03;                 ///< of bookings
  double cancel_part_share = 0.2;             ///< of cancellations that are for one seat only
  Duration cancel_after{std::chrono::minutes{5}};       ///< on average, after the booking
  Duration cancel_wave_at{0};                           ///< 0: no wave; else those who cancel all do then,
  Duration cancel_wave_width{std::chrono::minutes{1}};  ///< spread over so long
  double history_share = 0.2;                           ///< look at their bookings afterwards
};

struct Scenario {
  std::string name;
  std::string about;
  double time_scale = 1;
  std::uint32_t connections = 2'000;  ///< which people share; at most 15,000
  Arrivals arrivals;
  Stage stage;
  People people;
  std::vector<std::pair<std::string, std::string>> settings;  ///< of a server that we start
  std::vector<std::pair<std::string, std::string>> scaled;    ///< the same: durations, divided by time_scale

  /// Sale time in real time.
  [[nodiscard]] std::chrono::nanoseconds real(Duration sale_time) const noexcept {
    return std::chrono::nanoseconds{
        static_cast<std::int64_t>(static_cast<double>(sale_time.count()) * 1e6 / time_scale)};
  }
  /// Settings of a server for this sale, `scaled` ones in real time: "key=value".
  [[nodiscard]] std::vector<std::string> server_settings() const;
};

inline constexpr std::uint32_t connections_max = 15'000;

/// Reads a scenario; `name` stands for the file in messages.
/// Returns: `invalid` with one line for each mistake: the place, the key, the rule; for an unknown key the nearest.
[[nodiscard]] Result<Scenario> parse_scenario(std::string_view toml, std::string_view name);
/// The same from a file. Returns: `not_found` as well.
[[nodiscard]] Result<Scenario> load_scenario(const std::string& file);

}  // namespace usher::flash
