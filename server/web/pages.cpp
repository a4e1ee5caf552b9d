#include "server/web/pages.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace usher::server::web {
namespace {

/// First segments of addresses, and the page that shows all below them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> rooms{{
    {"", "/app.html"},
    {"film", "/app.html"},
    {"show", "/app.html"},
    {"checkout", "/app.html"},
    {"my", "/app.html"},
    {"console", "/console.html"},
    {"gate", "/gate.html"},
    {"docs", "/docs.html"},
}};

constexpr std::string_view page_fields =
    "Cache-Control: no-cache\r\n"
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: same-origin\r\n"
    "Permissions-Policy: camera=(self), geolocation=(self), microphone=(), payment=()\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Vary: Accept-Encoding\r\n";
constexpr std::string_view asset_fields =
    "Cache-Control: public, max-age=31536000, immutable\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Vary: Accept-Encoding\r\n";
constexpr std::string_view other_fields =
    "Cache-Control: public, max-age=60\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Vary: Accept-Encoding\r\n";

[[nodiscard]] const File* find_file(std::string_view path) noexcept {
  const auto all = files();
  const auto found = std::lower_bound(all.begin(), all.end(), path,
                                      [](const File& file, std::string_view at) { return file.path < at; });
  return found != all.end() && found->path == path ? &*found : nullptr;
}

[[nodiscard]] std::string_view room_of(std::string_view path) noexcept {
  path.remove_prefix(std::min<std::size_t>(path.size(), 1));
  return path.substr(0, path.find('/'));
}

}  // namespace

const File* find(std::string_view path) noexcept {
  if (!path.starts_with('/')) return nullptr;
  const std::string_view room = room_of(path);
  for (const auto& [name, page] : rooms) {
    if (name == room && (!room.empty() || path == "/")) return find_file(page);
  }
  return path.ends_with(".html") ? nullptr : find_file(path);
}

bool is_for_operators(std::string_view path) noexcept {
  return room_of(path) == "console";
}

std::string_view fields_of(const File& file) noexcept {
  if (file.path.ends_with(".html")) return page_fields;
  return file.path.starts_with("/assets/") ? asset_fields : other_fields;
}

bool accepts_gzip(std::string_view accept_encoding) noexcept {
  for (std::size_t at = 0; at < accept_encoding.size();) {
    const std::size_t end = std::min(accept_encoding.find(',', at), accept_encoding.size());
    std::string_view coding = accept_encoding.substr(at, end - at);
    at = end + 1;
    while (coding.starts_with(' ')) coding.remove_prefix(1);
    const std::string_view name = coding.substr(0, coding.find_first_of("; "));
    if (name != "gzip" && name != "*") continue;
    const std::size_t weight = coding.find("q=0");
    return weight == std::string_view::npos || coding.find_first_of("123456789", weight + 3) != std::string_view::npos;
  }
  return false;
}

bool accepts_html(std::string_view accept) noexcept {
  return accept.find("text/html") != std::string_view::npos;
}

}  // namespace usher::server::web
