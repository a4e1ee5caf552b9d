#include "server/http/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "server/http/chars.hpp"

namespace usher::server::http {
namespace {

constexpr std::array<std::uint8_t, 12> v4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::string_view proxy_signature{"\r\n\r\n\0\r\nQUIT\n", 12};

ClientAddress map_v4(const void* four_bytes) noexcept {
  ClientAddress address;
  std::copy(v4_prefix.begin(), v4_prefix.end(), address.bytes.begin());
  std::memcpy(address.bytes.data() + 12, four_bytes, 4);
  return address;
}

std::optional<ClientAddress> parse_bare(std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  if (text.empty() || text.size() >= terminated.size()) return std::nullopt;
  std::copy(text.begin(), text.end(), terminated.begin());
  in_addr v4{};
  if (inet_pton(AF_INET, terminated.data(), &v4) == 1) return map_v4(&v4);
  ClientAddress address;
  if (inet_pton(AF_INET6, terminated.data(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

bool is_port(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), chars::is_digit);
}

// Takes the last element off a comma-separated list.
std::string_view take_last(std::string_view& list) noexcept {
  const std::size_t comma = list.rfind(',');
  const std::string_view last = trim(comma == std::string_view::npos ? list : list.substr(comma + 1));
  list = comma == std::string_view::npos ? std::string_view{} : list.substr(0, comma);
  return last;
}

// The `for` parameter of one element of a Forwarded field, without its quotes.
std::string_view forwarded_for(std::string_view element) noexcept {
  while (!element.empty()) {
    const std::size_t semicolon = element.find(';');
    const std::string_view pair = trim(element.substr(0, semicolon));
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && equals_lower(pair.substr(0, equals), "for")) {
      std::string_view value = pair.substr(equals + 1);
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
      return value;
    }
    element = semicolon == std::string_view::npos ? std::string_view{} : element.substr(semicolon + 1);
  }
  return {};
}

std::uint16_t big_endian_16(const char* at) noexcept {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(at[0]) << 8U | static_cast<unsigned char>(at[1]));
}

}  // namespace

bool ClientAddress::is_v4() const noexcept {
  return std::equal(v4_prefix.begin(), v4_prefix.end(), bytes.begin());
}

std::optional<ClientAddress> parse_address(std::string_view text) noexcept {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view port = text.substr(end + 1);
    if (!port.empty() && (port.front() != ':' || !is_port(port.substr(1)))) return std::nullopt;
    const std::optional<ClientAddress> address = parse_bare(text.substr(1, end - 1));
    return address && text.substr(1, end - 1).find(':') == std::string_view::npos ? std::nullopt : address;
  }
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
    return is_port(text.substr(colon + 1)) ? parse_bare(text.substr(0, colon)) : std::nullopt;
  }
  return parse_bare(text);
}

ClientAddress from_sockaddr(const sockaddr* address) noexcept {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    return map_v4(&v4.sin_addr);
  }
  ClientAddress client;
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    std::memcpy(client.bytes.data(), &v6.sin6_addr, client.bytes.size());
  }
  return client;
}

std::string to_string(const ClientAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.is_v4()) {
    inet_ntop(AF_INET, address.bytes.data() + 12, text.data(), text.size());
  } else {
    inet_ntop(AF_INET6, address.bytes.data(), text.data(), text.size());
  }
  return text.data();
}

bool Networks::add(std::string_view cidr) {
  const std::size_t slash = cidr.find('/');
  const std::optional<ClientAddress> address = parse_bare(cidr.substr(0, slash));
  if (!address) return false;
  const unsigned offset = address->is_v4() ? 96 : 0;
  unsigned bits = 128 - offset;
  if (slash != std::string_view::npos) {
    const std::string_view text = cidr.substr(slash + 1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
    if (error != std::errc{} || end != text.data() + text.size() || bits > 128 - offset) return false;
  }
  networks_.push_back({*address, bits + offset});
  return true;
}

bool Networks::contains(const ClientAddress& address) const noexcept {
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    const unsigned whole = network.bits / 8;
    if (!std::equal(address.bytes.begin(), address.bytes.begin() + whole, network.address.bytes.begin())) return false;
    const unsigned rest = network.bits % 8;
    if (rest == 0) return true;
    return (address.bytes[whole] >> (8U - rest)) == (network.address.bytes[whole] >> (8U - rest));
  });
}

ClientAddress forwarded_address(const ClientAddress& peer, std::string_view forwarded, std::string_view x_forwarded_for,
                                const Networks& trusted) noexcept {
  const bool standard = !forwarded.empty();
  std::string_view hops = standard ? forwarded : x_forwarded_for;
  ClientAddress client = peer;
  while (!hops.empty()) {
    const std::string_view hop = take_last(hops);
    const std::optional<ClientAddress> address = parse_address(standard ? forwarded_for(hop) : hop);
    if (!address) return client;
    client = *address;
    if (!trusted.contains(client)) return client;
  }
  return client;
}

ProxyHeader parse_proxy_header(std::string_view input) noexcept {
  ProxyHeader header;
  const std::size_t common = std::min(input.size(), proxy_signature.size());
  if (input.substr(0, common) != proxy_signature.substr(0, common)) return header;
  header.status = ProxyHeader::Status::need_more;
  if (input.size() < 16) return header;
  const auto version_command = static_cast<unsigned char>(input[12]);
  const auto family = static_cast<unsigned char>(input[13]);
  const std::size_t length = big_endian_16(input.data() + 14);
  // The addresses take at most 216 bytes; what follows are type-length-values that are skipped.
  if ((version_command != 0x20 && version_command != 0x21) || length > 2'048) {
    header.status = ProxyHeader::Status::malformed;
    return header;
  }
  if (input.size() < 16 + length) return header;
  header.status = ProxyHeader::Status::complete;
  header.size = 16 + length;
  if (version_command == 0x20) return header;
  if (family >> 4U == 1 && length >= 12) header.address = map_v4(input.data() + 16);
  if (family >> 4U == 2 && length >= 36) {
    header.address.emplace();
    std::memcpy(header.address->bytes.data(), input.data() + 16, 16);
  }
  return header;
}

}  // namespace usher::server::http
