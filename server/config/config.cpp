#include "server/config/config.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <fstream>
#include <sstream>

#include "server/config/keys.hpp"
#include "server/config/values.hpp"

namespace usher::server::config {

namespace {

/// The mistakes found so far, one line each: an operator wants to see all of them at once.
class Mistakes {
 public:
  void add(std::string_view place, std::string_view message) {
    lines_.push_back(fmt::format("{}: {}", place, message));
  }
  [[nodiscard]] bool none() const noexcept { return lines_.empty(); }
  [[nodiscard]] Error error() const {
    return make_error(ErrorCode::invalid, fmt::format("{}", fmt::join(lines_, "\n")));
  }

 private:
  std::vector<std::string> lines_;
};

void add_unknown(const std::vector<Key>& keys, std::string_view name, std::string_view place, Mistakes& mistakes) {
  mistakes.add(place, fmt::format("unknown key {}; the nearest known key is {}", name, nearest_key(keys, name).name));
}

void assign(const Key& key, std::string_view text, std::string_view place, Mistakes& mistakes) {
  if (key.assign(text)) return;
  const std::string shown = key.type == KeyType::secret ? "(hidden)" : fmt::format("\"{}\"", text);
  mistakes.add(place, fmt::format("{} must be {}, not {}", key.name, key.rule, shown));
}

/// Returns: the node's value as `--set` would write it, or nothing when a key of that type cannot hold it.
std::optional<std::string> text_of(const toml::node& node, KeyType type) {
  if (const auto* text = node.as_string()) {
    const bool fits = type != KeyType::flag && type != KeyType::integer && type != KeyType::fraction;
    return fits && type != KeyType::list ? std::optional{text->get()} : std::nullopt;
  }
  if (const auto* number = node.as_integer()) {
    const bool zero_duration = type == KeyType::duration && number->get() == 0;
    const bool fits = type == KeyType::integer || type == KeyType::fraction || type == KeyType::size || zero_duration;
    return fits ? std::optional{std::to_string(number->get())} : std::nullopt;
  }
  if (const auto* number = node.as_floating_point()) {
    return type == KeyType::fraction ? std::optional{fmt::format("{}", number->get())} : std::nullopt;
  }
  if (const auto* flag = node.as_boolean()) {
    return type == KeyType::flag ? std::optional<std::string>{flag->get() ? "true" : "false"} : std::nullopt;
  }
  const auto* array = node.as_array();
  if (array == nullptr || type != KeyType::list) return std::nullopt;
  std::string joined;
  for (const toml::node& item : *array) {
    const auto* text = item.as_string();
    if (text == nullptr) return std::nullopt;
    joined += (joined.empty() ? "" : ",") + text->get();
  }
  return joined;
}

void read_table(const toml::table& table, const std::string& prefix, std::string_view file,
                const std::vector<Key>& keys, Mistakes& mistakes) {
  for (const auto& [segment, node] : table) {
    const std::string name = prefix + std::string{segment.str()};
    const std::string place = fmt::format("{}:{}", file, segment.source().begin.line);
    if (const auto* inner = node.as_table()) {
      read_table(*inner, name + '.', file, keys, mistakes);
      continue;
    }
    const Key* key = find_key(keys, name);
    if (key == nullptr) {
      add_unknown(keys, name, place, mistakes);
      continue;
    }
    const std::optional<std::string> text = text_of(node, key->type);
    if (text) {
      assign(*key, *text, place, mistakes);
    } else {
      mistakes.add(place, fmt::format("{} must be {}: another type of value stands there", name, key->rule));
    }
  }
}

void read_toml(std::string_view text, std::string_view name, const std::vector<Key>& keys, Mistakes& mistakes) {
  try {
    read_table(toml::parse(text, name), "", name, keys, mistakes);
  } catch (const toml::parse_error& error) {
    mistakes.add(fmt::format("{}:{}", name, error.source().begin.line), error.description());
  }
}

void read_overrides(std::span<const std::string> overrides, const std::vector<Key>& keys, Mistakes& mistakes) {
  for (const std::string& entry : overrides) {
    const std::size_t equals = entry.find('=');
    const std::string_view name = std::string_view{entry}.substr(0, equals);
    const Key* key = find_key(keys, name);
    if (key == nullptr) {
      add_unknown(keys, name, "--set", mistakes);
    } else if (equals == std::string::npos) {
      mistakes.add("--set", fmt::format("{} needs a value: --set {}=...", name, name));
    } else {
      assign(*key, std::string_view{entry}.substr(equals + 1), "--set", mistakes);
    }
  }
}

/// Rules that concern two keys at once.
void cross_check(const Config& config, Mistakes& mistakes) {
  if (config.disk.low_water >= config.disk.high_water) {
    mistakes.add("disk.low_water",
                 fmt::format("must be less than disk.high_water: {} is not less than {}",
                             format_size(config.disk.low_water), format_size(config.disk.high_water)));
  }
  if (!config.admin.separate() && config.admin.port != 0) {
    mistakes.add("admin.port", "needs admin.address: without it there is no listener of its own");
  }
  if (config.admin.separate() && config.admin.port != 0 && config.admin.port == config.http.port &&
      config.admin.address == config.http.address) {
    mistakes.add("admin.port", "must differ from http.port where the addresses are the same");
  }
  if (config.http.header_timeout > config.http.idle_timeout) {
    mistakes.add("http.header_timeout", "must not be longer than http.idle_timeout");
  }
  const bool cooldown_wanted =
      config.policy.cooldown_after_abandoned != 0 || config.policy.cooldown_after_refusals != 0;
  if (cooldown_wanted && config.policy.cooldown.count() == 0) {
    mistakes.add("policy.cooldown",
                 "must not be 0 while policy.cooldown_after_abandoned or policy.cooldown_after_refusals is on");
  }
}

Result<std::string> read_file(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return make_error(ErrorCode::not_found, fmt::format("{}: no such file", path.string()));
  }
  std::ifstream in{path, std::ios::binary};
  std::ostringstream text;
  text << in.rdbuf();
  if (!in || !text) return make_error(ErrorCode::io, fmt::format("{}: cannot be read", path.string()));
  return text.str();
}

}  // namespace

Result<Config> parse_config(std::string_view toml, std::string_view name, std::span<const std::string> overrides) {
  Config config;
  Mistakes mistakes;
  const std::vector<Key> keys = bind_keys(config);
  read_toml(toml, name, keys, mistakes);
  read_overrides(overrides, keys, mistakes);
  if (mistakes.none()) cross_check(config, mistakes);
  if (!mistakes.none()) return mistakes.error();
  return config;
}

Result<Config> load_config(const std::optional<std::filesystem::path>& file, std::span<const std::string> overrides) {
  if (!file) return parse_config("", "", overrides);
  const Result<std::string> text = read_file(*file);
  if (!text) return text.error();
  return parse_config(text.value(), file->filename().string(), overrides);
}

std::vector<std::string> config_warnings(const Config& config) {
  std::vector<std::string> warnings;
  const Secret& secret = config.identity.hs256_secret;
  if (secret.given() && secret.text.size() < 32) {
    warnings.push_back("identity.hs256_secret is shorter than 32 bytes, which RFC 7518 section 3.2 asks for");
  }
  if (config.metrics.is_public && !config.admin.separate()) {
    warnings.push_back("metrics.public is on without admin.address: everybody can read /metrics");
  }
  if (!config.payments.ledger) {
    warnings.push_back("payments.ledger is off: after a crash the built-in gateway forgets its charges");
  }
  return warnings;
}

std::string config_help() {
  Config defaults;
  std::string text;
  std::string section;
  for (const Key& key : bind_keys(defaults)) {
    const std::size_t dot = key.name.find('.');
    if (key.name.substr(0, dot) != section) {
      section = key.name.substr(0, dot);
      text += fmt::format("{}[{}]\n", text.empty() ? "" : "\n", section);
    }
    text += fmt::format("# {} Must be {}.\n{} = {}\n", key.help, key.rule, key.name.substr(dot + 1), key.print());
  }
  return text;
}

std::vector<std::string> config_changes(const Config& config) {
  Config changed = config;
  Config defaults;
  const std::vector<Key> changed_keys = bind_keys(changed);
  const std::vector<Key> default_keys = bind_keys(defaults);
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < changed_keys.size(); ++i) {
    const std::string value = changed_keys[i].print();
    if (value != default_keys[i].print()) lines.push_back(fmt::format("{} = {}", changed_keys[i].name, value));
  }
  return lines;
}

}  // namespace usher::server::config
