#pragma once
/// Signed tokens of many users, made once before the clock starts.

#include <string>
#include <string_view>
#include <vector>

namespace usher::bench {

/// Returns: a JSON web token (RFC 7519), HS256 by `secret`, of `subject` in `role`, good for a day.
[[nodiscard]] std::string make_token(std::string_view secret, std::string_view subject,
                                     std::string_view role = "customer");

/// Returns: `count` tokens, of load-00000, load-00001, ...
[[nodiscard]] std::vector<std::string> make_tokens(std::string_view secret, std::size_t count);

}  // namespace usher::bench
