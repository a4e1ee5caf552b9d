#include "server/relay/upstream_url.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <charconv>
#include <cstdint>

namespace usher::server::relay {
namespace {

Error invalid(std::string_view text, std::string_view rule) {
  return make_error(ErrorCode::invalid, "relay.upstream: \"" + std::string(text) + "\" " + std::string(rule));
}

std::string to_text(boost::urls::string_view view) {
  return {view.data(), view.size()};
}

bool is_port(std::string_view digits) {
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc{} && end == digits.data() + digits.size() && number != 0;
}

}  // namespace

std::string UpstreamUrl::authority() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? "443" : "80") ? name : name + ":" + port;
}

Result<UpstreamUrl> parse_upstream_url(std::string_view text) {
  const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
  if (!parsed) return invalid(text, "must be a URL such as http://10.0.0.5:8080");
  const boost::urls::url_view view = *parsed;
  const std::string scheme = to_text(view.scheme());
  if (scheme != "http" && scheme != "https" && scheme != "ws" && scheme != "wss") {
    return invalid(text, "must begin with http, https, ws or wss");
  }
  if (view.has_userinfo() || view.has_query() || view.has_fragment()) {
    return invalid(text, "must have no user, query or fragment");
  }
  UpstreamUrl url;
  url.tls = scheme == "https" || scheme == "wss";
  url.host = view.host_address();
  if (url.host.empty()) return invalid(text, "must name a host");
  url.port = view.has_port() ? to_text(view.port()) : url.tls ? "443" : "80";
  if (!is_port(url.port)) return invalid(text, "must have a port from 1 to 65535");
  url.prefix = to_text(view.encoded_path());
  while (url.prefix.ends_with('/')) url.prefix.pop_back();
  return url;
}

}  // namespace usher::server::relay
