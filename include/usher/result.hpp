#pragma once
/// The one result type for operating errors: what the disk, a file or a configuration can do to us. Refusals are not
/// errors (see refusal.hpp); programmer errors are assertions (see assert.hpp).

#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "usher/assert.hpp"

namespace usher {

/// One code per reaction that some caller has; the words for people stand in `Error::detail`.
enum class ErrorCode : std::uint8_t {
  invalid,      ///< what was given is malformed; the detail names the field and the rule
  not_found,    ///< the thing named does not exist
  io,           ///< the operating system or RocksDB failed; the outcome of a write is unknown
  corrupt,      ///< stored bytes are damaged or missing: refuse to start
  version,      ///< a format this program does not know
  clock,        ///< the wall clock lies too far behind the log (DESIGN 4.6)
  log_trimmed,  ///< what is asked for lies below the oldest segment
  no_space,     ///< not enough free disk space
  busy,         ///< another process owns the data directory
};

struct Error {
  ErrorCode code{};
  std::string detail;
};

/// Holds a `T` or an `Error`. Not thread-safe. `value()` requires `ok()`.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  [[nodiscard]] bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  [[nodiscard]] T& value() & {
    USHER_ASSERT(ok());
    return std::get<0>(state_);
  }
  [[nodiscard]] const T& value() const& {
    USHER_ASSERT(ok());
    return std::get<0>(state_);
  }
  [[nodiscard]] T&& value() && {
    USHER_ASSERT(ok());
    return std::get<0>(std::move(state_));
  }
  [[nodiscard]] const Error& error() const& {
    USHER_ASSERT(!ok());
    return std::get<1>(state_);
  }

 private:
  std::variant<T, Error> state_;
};

/// The result of something that yields nothing but success.
struct Done {};
using Status = Result<Done>;

[[nodiscard]] inline Error make_error(ErrorCode code, std::string detail) {
  return Error{code, std::move(detail)};
}

}  // namespace usher
