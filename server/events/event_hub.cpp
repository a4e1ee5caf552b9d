#include "server/events/event_hub.hpp"

namespace usher::server::events {

void EventHub::add(ShardIndex shard, Lsn first_lsn, std::uint32_t count, std::string_view blob) {
  if (shard >= tails_.size()) return;  // the system shard's: no event of the sale
  const std::lock_guard lock(mutex_);
  last_[shard] = first_lsn + count - 1;
  if (unread_bytes_ > bytes_max_) return;
  unread_bytes_ += blob.size();
  if (unread_bytes_ > bytes_max_) return forget();
  tails_[shard].push_back({first_lsn, count, std::make_shared<const std::string>(blob)});
  order_.push_back(shard);
  bytes_ += blob.size();
  while (bytes_ > bytes_max_ && order_.size() > 1) {
    std::deque<Blob>& oldest = tails_[order_.front()];
    bytes_ -= oldest.front().bytes->size();
    oldest.pop_front();
    order_.pop_front();
  }
}

void EventHub::forget() {
  for (std::deque<Blob>& tail : tails_) tail.clear();
  order_.clear();
  bytes_ = 0;
}

std::optional<std::vector<EventHub::Blob>> EventHub::read(ShardIndex shard, Lsn after, std::size_t count_max) const {
  const std::lock_guard lock(mutex_);
  unread_bytes_ = 0;
  if (last_[shard] != 0 && after >= last_[shard]) return std::vector<Blob>{};
  const std::deque<Blob>& tail = tails_[shard];
  if (tail.empty() || tail.front().first_lsn > after + 1) return std::nullopt;
  std::vector<Blob> blobs;
  // blobs are dense and ascending: those to skip are found from the end
  auto from = tail.end();
  while (from != tail.begin() && std::prev(from)->last_lsn() > after) --from;
  for (; from != tail.end() && blobs.size() < count_max; ++from) blobs.push_back(*from);
  return blobs;
}

}  // namespace usher::server::events
