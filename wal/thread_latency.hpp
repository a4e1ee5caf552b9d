#pragma once
/// What a thread asks of the scheduler: to be run soon after it is woken. For threads that work in short bursts and are
/// waited for, as the committer is. Asks without privileges and is happy with a no.

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace usher::wal {

/// Asks for time slices of 100 us. From Linux 6.12 on, a woken thread with a shorter slice goes before a running one
/// with a longer (sched(7), EEVDF); older kernels ignore it. Measured on two full cores: a sync that takes 0.3 ms alone
/// took 1.9 ms, since the committer waited three times for a core, and see bench/README.md for what is left of it.
inline void ask_for_short_slices() noexcept {
  struct {
    std::uint32_t size = 48;
    std::uint32_t policy = 0;  // SCHED_OTHER
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime_ns = 100'000;
    std::uint64_t deadline_ns = 0;
    std::uint64_t period_ns = 0;
  } attributes;
  static_assert(sizeof attributes == 48);
  attributes.nice = ::getpriority(PRIO_PROCESS, 0);
  (void)::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace usher::wal
