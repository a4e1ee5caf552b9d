/// The configuration file. The first line, when it begins with #, has `--set` overrides in it, parted by tabs.

#include <vector>

#include "server/config/config.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace usher;
using namespace usher::server;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  std::vector<std::string> overrides;
  if (text.starts_with('#')) {
    std::string_view line =
        text.substr(1, text.find('\n') == std::string_view::npos ? text.size() : text.find('\n') - 1);
    while (!line.empty() && overrides.size() < 8) overrides.emplace_back(fuzz::cut(line, '\t'));
  }
  const auto config = config::parse_config(text, "fuzz.toml", overrides);
  if (!config.ok()) {
    USHER_ASSERT(!config.error().detail.empty());
    return 0;
  }
  (void)config::config_warnings(config.value());
  (void)config::config_changes(config.value());
  return 0;
}
