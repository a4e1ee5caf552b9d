#include "server/notify/contacts.hpp"

#include <algorithm>

#include "server/api/people.hpp"

namespace usher::server::notify {
namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t nonce_bytes = 12;

template <class T>
void put(std::string& out, T value) {
  for (std::size_t shift = 8 * sizeof(T); shift > 0; shift -= 8) out.push_back(static_cast<char>(value >> (shift - 8)));
}

[[nodiscard]] std::string row_key(char kind, UserNumber user, ShowNumber show, std::uint32_t sequence) {
  std::string key(1, kind);
  put(key, to_value(user));
  put(key, to_value(show));
  put(key, sequence);
  return key;
}

}  // namespace

bool is_email(std::string_view text) noexcept {
  const std::size_t at = text.find('@');
  if (text.size() > 254 || at == 0 || at == std::string_view::npos || at + 1 == text.size()) return false;
  if (text.find('@', at + 1) != std::string_view::npos) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 127 && std::string_view("<>()[]\\\",;:").find(c) == std::string_view::npos;
  });
}

bool is_phone(std::string_view text) noexcept {
  if (text.size() < 7 || text.size() > 16 || text[0] != '+') return false;
  return std::all_of(text.begin() + 1, text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::vector<SideWrite> contact_rows(api::RandomPool& random, UserNumber user, const Id& reservation,
                                    const Contact& contact) {
  std::string key = api::random_bytes(random, key_bytes);
  std::string text = contact.email;
  text.push_back('\0');
  text += contact.phone;
  std::string row = api::seal(key, api::random_bytes(random, nonce_bytes), text);
  return {{row_key('x', user, reservation.show, reservation.sequence), std::move(key)},
          {row_key('c', user, reservation.show, reservation.sequence), std::move(row)}};
}

Contact open_contact(std::string_view key, std::string_view row) {
  const std::optional<std::string> text = api::unseal(key, row);
  const std::size_t zero = text ? text->find('\0') : std::string::npos;
  if (zero == std::string::npos) return {};
  return {text->substr(0, zero), text->substr(zero + 1)};
}

Contact read_contact(wal::OpenedLog& log, UserNumber user, ShowNumber show, std::uint32_t sequence) {
  const auto key = log.side_row(row_key('x', user, show, sequence));
  const auto row = log.side_row(row_key('c', user, show, sequence));
  if (!key || !row || !key.value() || !row.value()) return {};
  return open_contact(*key.value(), *row.value());
}

std::vector<std::string> person_rows(wal::OpenedLog& log, UserNumber user) {
  std::vector<std::string> keys;
  for (const char kind : {'k', 'p', 'x', 'c'}) {
    std::string prefix(1, kind);
    put(prefix, to_value(user));
    (void)log.for_each_side(prefix, [&](std::string_view key, std::string_view) -> Status {
      keys.emplace_back(key);
      return Done{};
    });
  }
  return keys;
}

}  // namespace usher::server::notify
