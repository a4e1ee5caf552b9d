#pragma once
/// Audience: the subscribers of one show on one loop, and what they have been told. A fan-out tells all of them what
/// changed since the one before; it is done in slices, so that nothing else waits for it. For the loop's thread only.

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "server/ws/message.hpp"
#include "server/ws/subscriber.hpp"

namespace usher::server::ws {

class Audience {
 public:
  Audience(Feed& feed, FeedKey key) noexcept : feed_(feed), key_(key) {}
  ~Audience();
  Audience(const Audience&) = delete;
  Audience& operator=(const Audience&) = delete;

  void join(Subscriber& subscriber);
  void leave(Subscriber& subscriber) noexcept;
  /// The newest state, from the source. The next fan-out tells it.
  void note(std::shared_ptr<const SeatState> state) noexcept;
  /// Whether there is something to tell, now or soon.
  [[nodiscard]] bool has_news() const noexcept { return running_ || news_; }
  [[nodiscard]] bool may_run(std::int64_t now_ms) const noexcept {
    return running_ || (news_ && now_ms >= next_start_ms_);
  }
  /// Tells the next few, until `deadline_ns` (monotonic). Requires: may_run(). Returns: whether all have been told.
  bool run(std::int64_t now_ms, std::int64_t deadline_ns);

  /// What a reader that knows nothing gets. Requires: a state.
  [[nodiscard]] const SharedBytes& snapshot(Format format);
  [[nodiscard]] std::uint64_t lsn() const noexcept { return told_->lsn; }
  [[nodiscard]] bool empty() const noexcept { return members_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return members_.size(); }
  [[nodiscard]] FeedKey key() const noexcept { return key_; }
  /// Closes them all with the code.
  void close_all(std::uint16_t code, std::string_view reason);

 private:
  static constexpr std::size_t format_count = static_cast<std::size_t>(Format::count_);
  struct Snapshot {
    SharedBytes bytes;
    std::int64_t made_ms = 0;
  };

  void start(std::int64_t now_ms) noexcept;
  void finish(std::int64_t now_ms);
  void tell(Subscriber& subscriber);
  [[nodiscard]] bool can_begin(Subscriber& subscriber);
  [[nodiscard]] const SharedBytes& delta(Format format);
  void move(std::size_t from, std::size_t to) noexcept;

  Feed& feed_;
  const FeedKey key_;
  std::vector<Subscriber*> members_;
  std::shared_ptr<const SeatState> newest_;
  std::shared_ptr<const SeatState> told_;    // what the fan-out tells that runs or ran last
  std::shared_ptr<const SeatState> before_;  // what the one before told
  std::array<SharedBytes, format_count> deltas_;
  std::array<Snapshot, format_count> snapshots_;
  std::size_t cursor_ = 0;  // those before it have been told
  bool news_ = false;
  bool running_ = false;
  bool listed_ = false;  // among the feed's audiences with news
  std::int64_t started_ms_ = 0;
  std::int64_t next_start_ms_ = 0;
  std::int64_t cost_ns_ = 0;

  friend class Feed;
};

}  // namespace usher::server::ws
