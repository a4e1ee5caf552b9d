#pragma once
/// Who is on the other side: addresses, networks that are trusted to tell the truth about it (`http.trusted_proxies`),
/// and the three ways in which they tell (Forwarded, RFC 7239; X-Forwarded-For; PROXY protocol version 2). Plain values
/// and pure functions.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct sockaddr;

namespace usher::server::http {

/// An IPv6 address, or an IPv4 one mapped into it (RFC 4291 section 2.5.5.2). All zero: not known.
struct ClientAddress {
  std::array<std::uint8_t, 16> bytes{};
  bool operator==(const ClientAddress&) const = default;
  [[nodiscard]] bool is_v4() const noexcept;
};

/// Accepts "192.0.2.1", "2001:db8::1", "[2001:db8::1]" and each with a port behind it, which is dropped.
/// Returns: nothing for anything else, "unknown" and obfuscated names included.
[[nodiscard]] std::optional<ClientAddress> parse_address(std::string_view text) noexcept;
/// Of a socket's address; all zero for a family that is not IP.
[[nodiscard]] ClientAddress from_sockaddr(const sockaddr* address) noexcept;
[[nodiscard]] std::string to_string(const ClientAddress& address);

/// A list of networks.
class Networks {
 public:
  /// Adds "10.0.0.0/8", "2001:db8::/32" or a single address. Returns: false when it is none of these.
  [[nodiscard]] bool add(std::string_view cidr);
  [[nodiscard]] bool contains(const ClientAddress& address) const noexcept;
  [[nodiscard]] bool empty() const noexcept { return networks_.empty(); }

 private:
  struct Network {
    ClientAddress address;
    unsigned bits = 128;
  };
  std::vector<Network> networks_;
};

/// The client's address as told by a chain of proxies: from the nearest hop backwards, the first that is not trusted;
/// where all are, the farthest. A hop that cannot be read ends the walk, since nothing behind it can be believed.
/// Requires: `peer`, who sent the fields, is in `trusted`. `forwarded` goes before `x_forwarded_for`.
[[nodiscard]] ClientAddress forwarded_address(const ClientAddress& peer, std::string_view forwarded,
                                              std::string_view x_forwarded_for, const Networks& trusted) noexcept;

struct ProxyHeader {
  enum class Status : std::uint8_t { absent, need_more, complete, malformed };
  Status status = Status::absent;
  std::size_t size = 0;                  ///< bytes to skip, when complete
  std::optional<ClientAddress> address;  ///< nothing for LOCAL and for families that are not IP
};
/// Looks for a PROXY protocol version 2 header at the start of a connection's bytes.
[[nodiscard]] ProxyHeader parse_proxy_header(std::string_view input) noexcept;

}  // namespace usher::server::http
