#pragma once
/// TimerWheel: one shard's timers. Hierarchical, four levels of 256 slots (Varghese and Lauck, "Hashed and Hierarchical
/// Timing Wheels", scheme 7), doubly linked by slab index, so that add and cancel are O(1): most reservations are
/// booked or released before their timer fires. For the shard's thread only.
///
/// Invariants:
/// 1. A timer never fires before its deadline; it fires at the first advance() whose `now` is a tick or more behind it.
/// 2. The wheel decides nothing: it only makes prompt what every command that meets a dead reservation decides anyway.

#include <array>
#include <bit>
#include <cstdint>

#include "engine/shard/slab.hpp"
#include "usher/mutant.hpp"
#include "usher/time.hpp"

namespace usher::engine {

enum class TimerKind : std::uint8_t { reservation, show_end, idempotency, cooldown };

using TimerHandle = SlabIndex;

class TimerWheel {
 public:
  /// 16 ms: below what a person notices, and 256 of them (4 s) per cascade.
  static constexpr std::int64_t tick_ms = 16;

  explicit TimerWheel(Instant now) : tick_(to_ms(now) / tick_ms) {}

  /// Deadlines in the past fire at the next advance().
  [[nodiscard]] TimerHandle add(Instant deadline, TimerKind kind, SlabIndex subject) {
    const TimerHandle handle = timers_.allocate();
    Timer& timer = timers_[handle];
    timer.due_tick = due_tick(deadline);
    timer.subject = subject;
    timer.kind = kind;
    link(handle);
    return handle;
  }

  /// Requires: add() gave `handle` and it neither fired nor was cancelled.
  void cancel(TimerHandle handle) {
    unlink(handle);
    timers_.release(handle);
  }

  /// Fires what is due at `now`, at most `count_max` timers: `fire(kind, subject)` may add and cancel others.
  /// Returns: false when the limit was reached and more may be due.
  template <class Fire>
  bool advance(Instant now, std::uint32_t count_max, Fire&& fire) {
    const std::int64_t target = to_ms(now) / tick_ms;
    for (;;) {
      const std::uint32_t slot = static_cast<std::uint32_t>(tick_) & slot_mask;
      while (heads_[0][slot] != 0) {
        if (count_max-- == 0) return false;
        const TimerHandle handle = heads_[0][slot];
        const Timer timer = timers_[handle];
        unlink(handle);
        timers_.release(handle);
        fire(timer.kind, timer.subject);
      }
      if (tick_ >= target) return true;
      step(target);
    }
  }

  [[nodiscard]] std::uint32_t size() const noexcept { return timers_.size(); }
  [[nodiscard]] std::size_t capacity_bytes() const noexcept { return timers_.capacity_bytes(); }

 private:
  static constexpr std::uint32_t levels = 4;
  static constexpr std::uint32_t slot_bits = 8;
  static constexpr std::uint32_t slots = 1U << slot_bits;
  static constexpr std::uint32_t slot_mask = slots - 1;

  struct Timer {
    TimerHandle next = 0;
    TimerHandle previous = 0;
    std::int64_t due_tick = 0;
    SlabIndex subject = 0;
    std::uint16_t place = 0;  ///< level and slot that it hangs in
    TimerKind kind{};
  };
  static_assert(sizeof(Timer) == 24);

  /// Rounded up: never early.
  [[nodiscard]] static std::int64_t due_tick(Instant deadline) noexcept {
    return (to_ms(deadline) + tick_ms - 1) / tick_ms + (USHER_MUTANT(16, "the wheel is a round late") ? slots : 0);
  }

  void link(TimerHandle handle) {
    Timer& timer = timers_[handle];
    const std::int64_t due = timer.due_tick < tick_ ? tick_ : timer.due_tick;
    const std::int64_t distance = due - tick_;
    std::uint32_t level = 0;
    while (level + 1 < levels && distance >= (std::int64_t{1} << (slot_bits * (level + 1)))) ++level;
    // beyond the horizon (about two years) a timer waits in the farthest slot and is hung anew from there
    const std::int64_t horizon = (std::int64_t{1} << (slot_bits * levels)) - 1;
    const std::int64_t at = distance > horizon ? tick_ + horizon : due;
    const auto slot = static_cast<std::uint32_t>(at >> (slot_bits * level)) & slot_mask;
    hang(handle, level, slot);
  }

  void hang(TimerHandle handle, std::uint32_t level, std::uint32_t slot) {
    Timer& timer = timers_[handle];
    timer.place = static_cast<std::uint16_t>(level * slots + slot);
    timer.previous = 0;
    timer.next = heads_[level][slot];
    if (timer.next != 0) timers_[timer.next].previous = handle;
    heads_[level][slot] = handle;
    occupied_[level][slot / 64] |= std::uint64_t{1} << (slot % 64);
  }

  void unlink(TimerHandle handle) {
    const Timer& timer = timers_[handle];
    const std::uint32_t level = timer.place / slots;
    const std::uint32_t slot = timer.place % slots;
    if (timer.previous != 0) {
      timers_[timer.previous].next = timer.next;
    } else {
      heads_[level][slot] = timer.next;
    }
    if (timer.next != 0) timers_[timer.next].previous = timer.previous;
    if (heads_[level][slot] == 0) occupied_[level][slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
  }

  /// Moves on to the next tick that has timers, or a cascade, or `target`, whichever comes first.
  void step(std::int64_t target) {
    const std::uint32_t slot = static_cast<std::uint32_t>(tick_) & slot_mask;
    std::int64_t next = (tick_ | slot_mask) + 1;  // the next cascade
    for (std::uint32_t candidate = slot + 1; candidate < slots;) {
      const std::uint64_t word = occupied_[0][candidate / 64] >> (candidate % 64);
      if (word != 0) {
        next = tick_ - slot + candidate + std::countr_zero(word);
        break;
      }
      candidate = (candidate / 64 + 1) * 64;
    }
    tick_ = next < target ? next : target;
    if ((tick_ & slot_mask) == 0) cascade(1);
  }

  void cascade(std::uint32_t level) {
    if (level == levels) return;
    const auto slot = static_cast<std::uint32_t>(tick_ >> (slot_bits * level)) & slot_mask;
    if (slot == 0) cascade(level + 1);
    TimerHandle handle = heads_[level][slot];
    heads_[level][slot] = 0;
    occupied_[level][slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
    while (handle != 0) {
      const TimerHandle next = timers_[handle].next;
      link(handle);
      handle = next;
    }
  }

  Slab<Timer> timers_;
  std::int64_t tick_;
  std::array<std::array<TimerHandle, slots>, levels> heads_{};
  std::array<std::array<std::uint64_t, slots / 64>, levels> occupied_{};
};

}  // namespace usher::engine
