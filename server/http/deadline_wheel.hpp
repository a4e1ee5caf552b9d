#pragma once
/// Deadlines of many connections, coarse and cheap: a hashed wheel of quarter seconds with intrusive links. Moving a
/// deadline later, which is what every request does, is one store; the wheel notices when the old one comes up. For one
/// thread; owns no node.

#include <array>
#include <cstdint>
#include <limits>

namespace usher::server::http {

class DeadlineWheel {
 public:
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();
  static constexpr std::int64_t tick_ms = 250;

  /// Part of what has a deadline. Must be removed before it dies.
  struct Node {
    Node* previous = nullptr;
    Node* next = nullptr;
    std::int64_t deadline_ms = never;
    std::int64_t looked_at_tick = never;  // when its bucket comes up next
  };

  explicit DeadlineWheel(std::int64_t now_ms) noexcept;
  DeadlineWheel(const DeadlineWheel&) = delete;
  DeadlineWheel& operator=(const DeadlineWheel&) = delete;

  /// Sets or moves a deadline; `never` takes it back.
  void set(Node& node, std::int64_t deadline_ms) noexcept;
  void remove(Node& node) noexcept;

  /// Calls `expired(node)` for each node whose deadline has come, at most one tick late; the node is removed before.
  /// `expired` may set and remove any node.
  template <class Expired>
  void advance(std::int64_t now_ms, Expired&& expired) {
    while (tick_ < now_ms / tick_ms) {
      ++tick_;
      Node due;
      take_bucket(due);
      while (due.next != &due) {
        Node& node = *due.next;
        unlink(node);
        if (node.deadline_ms <= now_ms) {
          node.deadline_ms = never;
          expired(node);
        } else if (node.deadline_ms != never) {
          link(node);
        }
      }
    }
  }

 private:
  static constexpr std::size_t bucket_count = 512;  // 128 s: longer deadlines go round

  static void unlink(Node& node) noexcept;
  void link(Node& node) noexcept;
  void take_bucket(Node& head) noexcept;

  std::int64_t tick_;
  std::array<Node, bucket_count> buckets_;
};

}  // namespace usher::server::http
