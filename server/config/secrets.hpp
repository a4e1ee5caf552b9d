#pragma once
/// The secrets that a data directory keeps for itself, in DIR/secrets: made once from the system's randomness, readable
/// by the owner only, never changed and never printed. Whoever loses the file loses the link from users' names to their
/// numbers, so it belongs in every backup; a directory that has a log but no secrets must not be given new ones.

#include <filesystem>
#include <string>

#include "usher/result.hpp"

namespace usher::server::config {

struct Secrets {
  std::string hs256;      ///< 64 hex digits, as text: the HS256 secret where the configuration names none
  std::string directory;  ///< 32 bytes: the key of this directory's HMACs (user numbers, idempotency, cookies)
};

/// Reads DIR/secrets. May run in several processes at once.
/// Returns: `not_found` without the file, `invalid` when others than the owner may read it, `corrupt` when a line is
/// missing or malformed, `io` when it cannot be read.
[[nodiscard]] Result<Secrets> load_secrets(const std::filesystem::path& directory);

/// The same, but makes the file (synced, atomically, mode 0600) when there is none. Of several processes that do so at
/// once all get the same secrets. Requires: the directory exists.
[[nodiscard]] Result<Secrets> load_or_create_secrets(const std::filesystem::path& directory);

}  // namespace usher::server::config
