#pragma once
/// ShowGuard: what a show knows of the waiting room in front of it: its number, and which admissions were used here, so
/// that the room is told of each at least once whatever crashes. Part of the show's state.

#include <array>
#include <cstdint>
#include <vector>

#include "engine/admission/guards.hpp"
#include "engine/shard/slab.hpp"
#include "usher/command.hpp"
#include "usher/record.hpp"

namespace usher::engine {

struct ShardState;

/// An admission that was used for a reservation.
struct AdmissionUse {
  std::uint32_t room = 0;
  std::uint32_t sequence = 0;
  std::uint32_t attempt = 0;
  UserNumber user = UserNumber::none;
  std::uint8_t seats = 0;
  Instant until{};  ///< end of the admission
};

/// How the last 200 seats held ended. Volatile: a restart measures anew.
struct ReturnWindow {
  static constexpr std::uint32_t size = 200;
  std::array<bool, size> returned{};
  std::uint32_t count = 0;
  std::uint32_t next = 0;
  std::uint32_t returns = 0;

  void add(std::uint32_t seats, bool came_back) noexcept {
    for (; seats > 0; --seats) {
      returns += came_back ? 1U : 0U;
      returns -= returned[next] ? 1U : 0U;
      returned[next] = came_back;
      next = (next + 1) % size;
      if (count < size) ++count;
    }
  }
  /// 0 until the window is half full: nobody is let in on a guess.
  [[nodiscard]] std::uint32_t permille() const noexcept { return count < size / 2 ? 0 : returns * 1'000 / count; }
};

struct ShowGuard {
  /// Uses are remembered for so long after their admission has ended: by then the room has been told.
  static constexpr Duration memory{std::chrono::minutes{10}};

  std::uint32_t room = 0;
  std::vector<AdmissionUse> uses;  ///< oldest first
  Inventory* inventory = nullptr;
  ReturnWindow ended;

  [[nodiscard]] bool used(const Admission& admission) const noexcept {
    for (const AdmissionUse& use : uses) {
      if (use.sequence == admission.sequence && use.attempt == admission.attempt && use.room == admission.room)
        return true;
    }
    return false;
  }
};

[[nodiscard]] bool apply_guarded(ShardState& state, SlabIndex show, const Event& event);
[[nodiscard]] bool apply_unguarded(ShardState& state, SlabIndex show, const Event& event);
[[nodiscard]] bool apply_admission_used(ShardState& state, SlabIndex show, const Record& record, const Event& event);
/// Requires: the show is guarded. Seats that were held were bought, or came back.
void note_ended(ShardState& state, SlabIndex show, std::uint32_t seats, bool came_back);
/// Connects the guard with the figures that rooms read.
void attach_guard(ShardState& state, SlabIndex show, std::uint32_t room);

}  // namespace usher::engine
