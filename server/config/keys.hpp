#pragma once
/// The one list of settings: each key's name, type, rule, help, and the place in a Config that it fills. Reading the
/// file, overriding, `--help-config` and every message are made from it. For one thread; a list must not outlive its
/// Config.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/config/config.hpp"

namespace usher::server::config {

/// Decides which TOML values a key accepts.
enum class KeyType : std::uint8_t { text, secret, flag, integer, fraction, duration, size, choice, list };

struct Key {
  std::string name;  ///< "section.name"
  KeyType type{};
  std::string rule;  ///< completes "must be ..."
  std::string help;  ///< one sentence
  /// Fills the place from a text. Returns: false when the text breaks the rule; the place is then unchanged.
  std::function<bool(std::string_view)> assign;
  /// The value in TOML, as it would stand in a file.
  std::function<std::string()> print;
};

/// All keys, section by section, filling `config`.
[[nodiscard]] std::vector<Key> bind_keys(Config& config);

/// Returns: the key of that name, or nullptr.
[[nodiscard]] const Key* find_key(const std::vector<Key>& keys, std::string_view name);

/// The known key that looks most like `name`: by edit distance, the first in the list where several fit.
[[nodiscard]] const Key& nearest_key(const std::vector<Key>& keys, std::string_view name);

/// What a TOML string must look like to mean `text`, quotes included.
[[nodiscard]] std::string quote_toml(std::string_view text);

}  // namespace usher::server::config
