#pragma once
/// Assertions that stay on in every build. They are for programmer errors only: nothing a client, the disk or the clock
/// sent may reach one (DESIGN 4.10).

#include <cstdio>
#include <cstdlib>

namespace usher {

/// Prints the place and the expression to stderr and aborts. Never returns.
[[noreturn]] inline void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
  std::abort();
}

}  // namespace usher

#define USHER_ASSERT(expression) \
  (static_cast<bool>(expression) ? static_cast<void>(0) : ::usher::assertion_failed(#expression, __FILE__, __LINE__))
