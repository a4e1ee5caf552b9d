#include "bench/flash_sale/tally.hpp"

namespace usher::flash {

void Tally::answer(CallKind kind, int status, Nanoseconds latency) {
  const auto nanoseconds = static_cast<std::uint64_t>(latency.count() > 0 ? latency.count() : 0);
  CallTally& call = calls_[static_cast<std::size_t>(kind)];
  call.latency.add(nanoseconds);
  ++call.by_status[status];
  ++answers_;
  ++second_.answers;
  second_latency_.add(nanoseconds);
  if (kind == CallKind::reserve) second_reserve_.add(nanoseconds);
  if (kind == CallKind::reserve && status == 201) ++second_.reserved;
  if (kind == CallKind::book && status == 201) ++second_.booked;
  if (status == 409) ++second_.conflicts;
  if (status == 429) ++second_.limited;
  if (status == 503) ++second_.refused;
}

const Second& Tally::next_second(std::uint32_t in_flight, std::uint32_t seats_left, std::uint32_t connections) {
  second_.in_flight = in_flight;
  second_.seats_left = seats_left;
  second_.connections = connections;
  second_.reserve_p50_ms = to_ms(second_reserve_.quantile(0.5));
  second_.reserve_p99_ms = to_ms(second_reserve_.quantile(0.99));
  second_.p99_ms = to_ms(second_latency_.quantile(0.99));
  seconds_.push_back(second_);
  second_ = Second{};
  second_latency_ = bench::Histogram{};
  second_reserve_ = bench::Histogram{};
  return seconds_.back();
}

std::uint64_t Tally::status(CallKind kind, int status) const {
  const auto& by_status = call(kind).by_status;
  const auto found = by_status.find(status);
  return found == by_status.end() ? 0 : found->second;
}

std::uint64_t Tally::status(int status) const {
  std::uint64_t sum = 0;
  for (std::size_t kind = 0; kind < calls_.size(); ++kind) sum += this->status(static_cast<CallKind>(kind), status);
  return sum;
}

std::uint64_t Tally::finished() const noexcept {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : outcomes_) sum += count;
  return sum;
}

}  // namespace usher::flash
