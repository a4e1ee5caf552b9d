#pragma once
/// What a job of the work pool has made of a request, on its way back to the loop that asked. Plain values.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/api/problem.hpp"

namespace usher::server::api {

struct PoolAnswer {
  std::uint16_t status = 200;
  std::string_view content_type = http::content_type::json;  ///< a literal
  std::string body;
  std::string fields;              ///< header lines; empty: not to be stored
  std::optional<Problem> problem;  ///< instead of all that
};

}  // namespace usher::server::api
