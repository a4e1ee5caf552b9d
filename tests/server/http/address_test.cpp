#include "server/http/address.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace usher::server::http;

ClientAddress address(std::string_view text) {
  const auto parsed = parse_address(text);
  REQUIRE(parsed.has_value());
  return *parsed;
}

TEST_CASE("address: text forms: read with and without port and brackets") {
  CHECK(to_string(address("192.0.2.1")) == "192.0.2.1");
  CHECK(to_string(address("192.0.2.1:8080")) == "192.0.2.1");
  CHECK(to_string(address("2001:db8::1")) == "2001:db8::1");
  CHECK(to_string(address("[2001:db8::1]:443")) == "2001:db8::1");
  CHECK(address("::ffff:192.0.2.1") == address("192.0.2.1"));
  for (const char* wrong :
       {"", "unknown", "_hidden", "192.0.2", "192.0.2.1:", "192.0.2.1:x", "[::1", "[1.2.3.4]", "::1]"}) {
    CHECK_MESSAGE(!parse_address(wrong).has_value(), wrong);
  }
}

TEST_CASE("networks: prefixes at their edges") {
  Networks networks;
  CHECK(networks.add("10.1.0.0/15"));
  CHECK(networks.add("2001:db8::/32"));
  CHECK(networks.add("192.0.2.7"));
  CHECK(networks.contains(address("10.0.0.0")));
  CHECK(networks.contains(address("10.1.255.255")));
  CHECK_FALSE(networks.contains(address("10.2.0.0")));
  CHECK(networks.contains(address("2001:db8:ffff::1")));
  CHECK_FALSE(networks.contains(address("2001:db9::1")));
  CHECK(networks.contains(address("192.0.2.7")));
  CHECK_FALSE(networks.contains(address("192.0.2.8")));
  for (const char* wrong : {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "::/129", "host"}) {
    CHECK_MESSAGE(!networks.add(wrong), wrong);
  }
}

TEST_CASE("forwarded: the nearest hop that is not trusted is the client") {
  Networks trusted;
  REQUIRE(trusted.add("10.0.0.0/8"));
  const ClientAddress peer = address("10.0.0.1");
  const auto client = [&](std::string_view forwarded, std::string_view x) {
    return to_string(forwarded_address(peer, forwarded, x, trusted));
  };
  CHECK(client("", "") == "10.0.0.1");
  CHECK(client("", "198.51.100.1, 203.0.113.9, 10.0.0.2") == "203.0.113.9");
  CHECK(client("", "10.0.0.3, 10.0.0.2") == "10.0.0.3");
  CHECK(client("", "203.0.113.9, unknown") == "10.0.0.1");
  CHECK(client("for=198.51.100.1;proto=https, For=\"[2001:db8::5]:99\";by=10.0.0.2", "1.1.1.1") == "2001:db8::5");
  CHECK(client("proto=https", "1.1.1.1") == "10.0.0.1");
}

std::string proxy_header(char command, char family, std::string_view addresses) {
  std::string header("\r\n\r\n\0\r\nQUIT\n", 12);
  header += command;
  header += family;
  header += static_cast<char>(addresses.size() >> 8U);
  header += static_cast<char>(addresses.size());
  return header.append(addresses);
}

TEST_CASE("proxy protocol: version 2 over IPv4 and IPv6, LOCAL, cut and malformed") {
  const std::string v4 = proxy_header(0x21, 0x11, std::string("\xcb\x00\x71\x09\x0a\x00\x00\x01\x12\x34\x00\x50", 12));
  const ProxyHeader header = parse_proxy_header(v4 + "GET");
  REQUIRE(header.status == ProxyHeader::Status::complete);
  CHECK(header.size == v4.size());
  REQUIRE(header.address.has_value());
  CHECK(to_string(*header.address) == "203.0.113.9");
  for (std::size_t size = 0; size < v4.size(); ++size) {
    CHECK(parse_proxy_header(std::string_view{v4}.substr(0, size)).status == ProxyHeader::Status::need_more);
  }
  std::string v6_addresses("\x20\x01\x0d\xb8", 4);
  v6_addresses.resize(36, '\0');
  const ProxyHeader v6 = parse_proxy_header(proxy_header(0x21, 0x21, v6_addresses));
  REQUIRE(v6.address.has_value());
  CHECK(to_string(*v6.address) == "2001:db8::");
  const ProxyHeader local = parse_proxy_header(proxy_header(0x20, 0x00, ""));
  CHECK(local.status == ProxyHeader::Status::complete);
  CHECK_FALSE(local.address.has_value());
  CHECK(parse_proxy_header("GET / HTTP/1.1").status == ProxyHeader::Status::absent);
  CHECK(parse_proxy_header(proxy_header(0x11, 0x11, "")).status == ProxyHeader::Status::malformed);
  CHECK(parse_proxy_header(proxy_header(0x21, 0x11, std::string(3'000, 'x'))).status == ProxyHeader::Status::malformed);
}

}  // namespace
