#pragma once
/// Which requests are sent, as bytes. Everything is formatted before the clock starts; a request is three copies. The
/// walk visits distinct (user, show) pairs, so that no user ever asks twice for one show.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace usher::bench {

enum class Mode : std::uint8_t {
  reserve,   ///< POST reserve, over all shows, each seat once: answers are 201 until the seats are gone
  race,      ///< POST reserve for seats of the first show, many times each: one 201 per seat
  hot,       ///< each connection alternates POST reserve and DELETE for seats of its own on the first `hot_shows` shows
  seats,     ///< GET seat map, over all shows
  commands,  ///< POST /commands: `batch` lines, each a reserve as in Mode::reserve
};

struct WorkloadOptions {
  Mode mode = Mode::reserve;
  std::size_t shows = 1;
  std::size_t rows = 10;       ///< A, B, C ...
  std::size_t row_seats = 20;  ///< 1, 2, 3 ...
  std::size_t seats = 2;       ///< side by side in one request; divides row_seats
  std::size_t users = 20'000;
  std::size_t hot_shows = 1;  ///< Mode::hot: each connection walks through so many
  std::size_t batch = 1'000;  ///< lines of one request of Mode::commands
  std::string secret;
  std::string show_prefix = "load-";  ///< a show's id is this and five digits
};

/// Names of one request, for the list of what was told.
struct RequestNames {
  std::string_view show;
  std::string_view seats;  ///< as in the body: "A1","A2"
  std::size_t user = 0;
};

/// Read-only once made: threads share it.
class Workload {
 public:
  explicit Workload(const WorkloadOptions& options);

  /// How many requests the walk has before it would ask for a seat a second time.
  [[nodiscard]] std::uint64_t size() const noexcept;
  /// Appends the `number`th request of the walk.
  void append(std::uint64_t number, std::string& out) const;
  /// Appends a reserve of seats that only this connection asks for (Mode::hot). `visit` counts this connection's
  /// reserves.
  void append_hot(std::size_t connection, std::uint64_t visit, std::string& out) const;
  /// The number under which names() knows that reserve.
  [[nodiscard]] std::uint64_t hot_number(std::size_t connection, std::uint64_t visit) const noexcept;
  void append_delete(std::size_t connection, std::string_view reservation_id, std::string& out) const;
  /// What the `number`th reserve asked for; in Mode::commands lines are counted.
  [[nodiscard]] RequestNames names(std::uint64_t number) const;
  [[nodiscard]] std::size_t batch() const noexcept { return options_.batch; }
  [[nodiscard]] std::size_t groups() const noexcept { return seat_names_.size(); }

 private:
  struct Step {
    std::size_t show;
    std::size_t group;
    std::size_t user;
  };
  [[nodiscard]] Step step(std::uint64_t number) const noexcept;
  [[nodiscard]] Step hot_step(std::uint64_t number) const noexcept;
  void append_reserve(const Step& step, std::string& out) const;
  void append_batch(std::uint64_t number, std::string& out) const;

  WorkloadOptions options_;
  std::vector<std::string> show_ids_;
  std::vector<std::string> seat_names_;
  std::vector<std::string> heads_;   ///< by show: request line and host
  std::vector<std::string> tokens_;  ///< by user: the authorization line
  std::string partner_token_;        ///< Mode::commands
  std::vector<std::string> bodies_;  ///< by group of seats: the other lines and the body
};

}  // namespace usher::bench
