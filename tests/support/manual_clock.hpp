#pragma once
/// A clock that stands where a test puts it.

#include "usher/time.hpp"

namespace usher::testing {

class ManualClock final : public Clock {
 public:
  explicit ManualClock(Instant at = {}) noexcept : at_(at) {}
  [[nodiscard]] Instant now() noexcept override { return at_; }
  void set(Instant at) noexcept { at_ = at; }
  void step(Duration by) noexcept { at_ += by; }

 private:
  Instant at_;
};

}  // namespace usher::testing
