#pragma once
/// A problem on its way to a client, with texts of its own (http::Problem only views them).

#include <cstdint>
#include <string>
#include <string_view>

#include "server/http/response.hpp"

namespace usher::server::api {

struct Problem {
  std::uint16_t status = 400;
  std::string code;
  std::string detail;  ///< names the field and the rule
};

/// The title that belongs to a code that is not a refusal's.
[[nodiscard]] std::string_view title_of(std::string_view code) noexcept;

[[nodiscard]] inline http::Problem to_http(const Problem& problem) noexcept {
  return {problem.status, problem.code, title_of(problem.code), problem.detail};
}
[[nodiscard]] inline Problem invalid_parameter(std::string detail) {
  return {400, "invalid_parameter", std::move(detail)};
}

/// Answers about one person are nobody else's to keep (RFC 9111 section 5.2.2.5).
inline constexpr std::string_view no_store = "Cache-Control: no-store\r\n";

}  // namespace usher::server::api
