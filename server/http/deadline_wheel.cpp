#include "server/http/deadline_wheel.hpp"

#include <algorithm>

namespace usher::server::http {

DeadlineWheel::DeadlineWheel(std::int64_t now_ms) noexcept : tick_(now_ms / tick_ms) {
  for (Node& head : buckets_) head.previous = head.next = &head;
}

void DeadlineWheel::set(Node& node, std::int64_t deadline_ms) noexcept {
  node.deadline_ms = deadline_ms;
  if (deadline_ms == never) return;  // found out when its bucket comes up
  const bool looked_at_in_time = node.next != nullptr && node.looked_at_tick <= deadline_ms / tick_ms + 1;
  if (looked_at_in_time) return;
  remove(node);
  node.deadline_ms = deadline_ms;
  link(node);
}

void DeadlineWheel::remove(Node& node) noexcept {
  if (node.next != nullptr) unlink(node);
  node.deadline_ms = never;
}

void DeadlineWheel::unlink(Node& node) noexcept {
  node.previous->next = node.next;
  node.next->previous = node.previous;
  node.next = node.previous = nullptr;
}

void DeadlineWheel::link(Node& node) noexcept {
  // The tick after the deadline, so that it has come when the bucket does; never the one that is being worked off.
  const std::int64_t tick = std::max(node.deadline_ms / tick_ms + 1, tick_ + 1);
  node.looked_at_tick = std::min(tick, tick_ + static_cast<std::int64_t>(bucket_count) - 1);
  Node& head = buckets_[static_cast<std::size_t>(node.looked_at_tick) % bucket_count];
  node.previous = head.previous;
  node.next = &head;
  head.previous->next = &node;
  head.previous = &node;
}

void DeadlineWheel::take_bucket(Node& head) noexcept {
  Node& bucket = buckets_[static_cast<std::size_t>(tick_) % bucket_count];
  head.previous = head.next = &head;
  if (bucket.next == &bucket) return;
  head.next = bucket.next;
  head.previous = bucket.previous;
  head.next->previous = &head;
  head.previous->next = &head;
  bucket.previous = bucket.next = &bucket;
}

}  // namespace usher::server::http
