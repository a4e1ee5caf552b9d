#pragma once
/// Where a relay has its shows from: a server's URL taken apart. Pure.

#include <string>
#include <string_view>

#include "usher/result.hpp"

namespace usher::server::relay {

struct UpstreamUrl {
  bool tls = false;
  std::string host;    ///< a name or a numeric address, IPv6 without brackets
  std::string port;    ///< decimal; 80 and 443 where none is given
  std::string prefix;  ///< in front of every path; empty, or "/a/b" without a slash at the end

  /// The Host field: with brackets where they belong, and the port unless it is the scheme's own.
  [[nodiscard]] std::string authority() const;
};

/// Reads http, https, ws or wss.
/// Returns: invalid, naming `relay.upstream` and the rule, where it is none of these or has a user, query or fragment.
[[nodiscard]] Result<UpstreamUrl> parse_upstream_url(std::string_view text);

}  // namespace usher::server::relay
