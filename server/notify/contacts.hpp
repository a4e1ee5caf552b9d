#pragma once
/// Contacts: where a booking's mails go. Outside of the log, each under a key of its own whose deletion erases it
/// (DESIGN 6). Rows of the log's side table:
///
///   'x' user:u64 show:u32 sequence:u32 -> key:32
///   'c' user:u64 show:u32 sequence:u32 -> nonce:12 ciphertext tag:16, AES-256-GCM of: email 0x00 phone
///
/// Numbers are big-endian. Pure functions but for reading.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/api/random_pool.hpp"
#include "usher/log.hpp"
#include "wal/log.hpp"

namespace usher::server::notify {

struct Contact {
  std::string email;
  std::string phone;
  [[nodiscard]] bool empty() const noexcept { return email.empty() && phone.empty(); }
};

/// "a@b", one @ between visible characters, no control characters, spaces, brackets or quotes: what may stand in a
/// mail's header as it is.
[[nodiscard]] bool is_email(std::string_view text) noexcept;
/// "+" and 6 to 15 digits (ITU-T E.164).
[[nodiscard]] bool is_phone(std::string_view text) noexcept;

[[nodiscard]] std::vector<SideWrite> contact_rows(api::RandomPool& random, UserNumber user, const Id& reservation,
                                                  const Contact& contact);
/// Returns: an empty one when the row was not sealed with that key.
[[nodiscard]] Contact open_contact(std::string_view key, std::string_view row);
/// Reads the disk: for the work pool and couriers. Returns: an empty one when there is none, or it was erased.
[[nodiscard]] Contact read_contact(wal::OpenedLog& log, UserNumber user, ShowNumber show, std::uint32_t sequence);

/// All rows about a person: identity, contacts and their keys.
[[nodiscard]] std::vector<std::string> person_rows(wal::OpenedLog& log, UserNumber user);

}  // namespace usher::server::notify
