#include "bench/flash_sale/scenario.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <sstream>

#include "server/config/values.hpp"

namespace usher::flash {
namespace {

namespace config = server::config;

/// One key of a scenario: its rule in words, and how its value is taken over.
struct Key {
  std::string name;
  std::string rule;
  std::function<bool(const toml::node&)> assign;
};

class Keys {
 public:
  void text(std::string name, std::string& place) {
    add(std::move(name), "a text", [&place](const toml::node& node) {
      if (!node.is_string()) return false;
      place = node.as_string()->get();
      return true;
    });
  }
  void count(std::string name, std::uint32_t& place, std::int64_t least, std::int64_t most) {
    add(std::move(name), fmt::format("a whole number from {} to {}", least, most),
        [&place, least, most](const toml::node& node) {
          const auto value = node.value_exact<std::int64_t>();
          if (!value || *value < least || *value > most) return false;
          place = static_cast<std::uint32_t>(*value);
          return true;
        });
  }
  void amount(std::string name, std::int64_t& place) {
    add(std::move(name), "an amount in minor units from 0 to 1000000", [&place](const toml::node& node) {
      const auto value = node.value_exact<std::int64_t>();
      if (!value || *value < 0 || *value > 1'000'000) return false;
      place = *value;
      return true;
    });
  }
  void number(std::string name, double& place, double least, double most) {
    add(std::move(name), fmt::format("a number from {:g} to {:g}", least, most),
        [&place, least, most](const toml::node& node) {
          const auto value = node.value<double>();
          if (!value || !node.is_number() || *value < least || *value > most) return false;
          place = *value;
          return true;
        });
  }
  void share(std::string name, double& place) { number(std::move(name), place, 0, 1); }
  void duration(std::string name, Duration& place) {
    add(std::move(name), "a duration such as \"90s\" or \"1h30m\"", [&place](const toml::node& node) {
      if (!node.is_string()) return false;
      const auto value = config::parse_duration(node.as_string()->get());
      if (value) place = *value;
      return value.has_value();
    });
  }
  void texts(std::string name, std::vector<std::string>& place) {
    add(std::move(name), "a list of texts such as [\"A-L 6S_8S_6S\"]",
        [&place](const toml::node& node) { return list<std::string>(node, place); });
  }
  void counts(std::string name, std::vector<std::uint32_t>& place) {
    add(std::move(name), "a list of whole numbers from 0 to 8760", [&place](const toml::node& node) {
      std::vector<std::int64_t> values;
      if (!list<std::int64_t>(node, values)) return false;
      place.clear();
      for (const std::int64_t value : values) {
        if (value < 0 || value > 8'760) return false;
        place.push_back(static_cast<std::uint32_t>(value));
      }
      return true;
    });
  }
  void weights(std::string name, std::vector<double>& place) {
    add(std::move(name), "a list of 1 to 10 weights, not all 0", [&place](const toml::node& node) {
      if (!list<double>(node, place) || place.size() > 10) return false;
      double sum = 0;
      for (const double weight : place) {
        if (weight < 0) return false;
        sum += weight;
      }
      return sum > 0;
    });
  }
  [[nodiscard]] const std::vector<Key>& all() const noexcept { return keys_; }

 private:
  void add(std::string name, std::string rule, std::function<bool(const toml::node&)> assign) {
    keys_.push_back({std::move(name), std::move(rule), std::move(assign)});
  }
  template <class T>
  static bool list(const toml::node& node, std::vector<T>& place) {
    const toml::array* array = node.as_array();
    if (array == nullptr || array->empty()) return false;
    place.clear();
    for (const toml::node& item : *array) {
      const auto value = item.value<T>();
      if (!value || item.is_boolean() || item.is_string() != std::is_same_v<T, std::string>) return false;
      place.push_back(*value);
    }
    return true;
  }

  std::vector<Key> keys_;
};

void bind_people(Keys& keys, People& people) {
  keys.count("people.reads", people.reads, 0, 10'000);
  keys.number("people.popularity", people.popularity, 0, 5);
  keys.weights("people.party", people.party);
  keys.number("people.centre", people.centre, 0.01, 1);
  keys.duration("people.look", people.look);
  keys.duration("people.choose", people.choose);
  keys.duration("people.pay", people.pay);
  keys.duration("people.again", people.again);
  keys.count("people.tries", people.tries, 1, 200);
  keys.count("people.full_looks", people.full_looks, 0, 200);
  keys.share("people.decline_share", people.decline_share);
  keys.share("people.second_card_share", people.second_card_share);
  keys.share("people.abandon_share", people.abandon_share);
  keys.share("people.come_back_share", people.come_back_share);
  keys.share("people.release_share", people.release_share);
  keys.share("people.cancel_share", people.cancel_share);
  keys.share("people.cancel_part_share", people.cancel_part_share);
  keys.duration("people.cancel_after", people.cancel_after);
  keys.duration("people.cancel_wave_at", people.cancel_wave_at);
  keys.duration("people.cancel_wave_width", people.cancel_wave_width);
  keys.share("people.history_share", people.history_share);
}

Keys bind(Scenario& scenario) {
  Keys keys;
  keys.text("name", scenario.name);
  keys.text("about", scenario.about);
  keys.number("time_scale", scenario.time_scale, 0.01, 10'000);
  keys.count("connections", scenario.connections, 1, connections_max);
  keys.count("arrivals.people", scenario.arrivals.people, 1, 10'000'000);
  keys.duration("arrivals.duration", scenario.arrivals.duration);
  keys.number("arrivals.spike_factor", scenario.arrivals.spike_factor, 1, 1'000);
  keys.duration("arrivals.spike_at", scenario.arrivals.spike_at);
  keys.duration("arrivals.spike_decay", scenario.arrivals.spike_decay);
  keys.count("stage.shows", scenario.stage.shows, 1, 100'000);
  keys.texts("stage.rows", scenario.stage.rows);
  keys.counts("stage.starts_in_hours", scenario.stage.starts_in_hours);
  keys.amount("stage.price_standard", scenario.stage.price_standard);
  keys.amount("stage.price_premium", scenario.stage.price_premium);
  bind_people(keys, scenario.people);
  return keys;
}

class Reader {
 public:
  Reader(Scenario& scenario, std::string_view file) : scenario_(scenario), keys_(bind(scenario)), file_(file) {}

  void table(const toml::table& table, const std::string& prefix) {
    for (const auto& [key, node] : table) {
      const std::string name = prefix + std::string(key.str());
      if (name == "server") {
        server(node);
      } else if (node.is_table() && (name == "arrivals" || name == "stage" || name == "people")) {
        this->table(*node.as_table(), name + ".");
      } else {
        value(name, node);
      }
    }
  }
  /// What no single value can be wrong about.
  void whole() {
    if (scenario_.name.empty()) mistakes_.push_back(fmt::format("{}: name is missing", file_));
    if (scenario_.arrivals.duration.count() <= 0) {
      mistakes_.push_back(fmt::format("{}: arrivals.duration must be longer than nothing", file_));
    }
    if (scenario_.arrivals.spike_at > scenario_.arrivals.duration) {
      mistakes_.push_back(fmt::format("{}: arrivals.spike_at must not be later than arrivals.duration", file_));
    }
    for (const std::string& row : scenario_.stage.rows) {
      if (row.find(' ') == std::string::npos) {
        mistakes_.push_back(fmt::format("{}: stage.rows: \"{}\" must be names, a blank and seats", file_, row));
      }
    }
  }
  [[nodiscard]] const std::vector<std::string>& mistakes() const noexcept { return mistakes_; }

 private:
  void value(const std::string& name, const toml::node& node) {
    const auto found =
        std::find_if(keys_.all().begin(), keys_.all().end(), [&](const Key& key) { return key.name == name; });
    if (found == keys_.all().end()) {
      mistakes_.push_back(
          fmt::format("{}: unknown key {}; the nearest known key is {}", place(node), name, nearest(name)));
    } else if (!found->assign(node)) {
      mistakes_.push_back(fmt::format("{}: {} must be {}", place(node), name, found->rule));
    }
  }
  /// [server.settings] and [server.scaled]: what is in them, the server itself checks when it starts.
  void server(const toml::node& node) {
    const toml::table* table = node.as_table();
    if (table == nullptr) return mistakes_.push_back(fmt::format("{}: server must be a table", place(node)));
    for (const auto& [key, part] : *table) {
      const bool scaled = key == "scaled";
      if (!scaled && key != "settings") {
        mistakes_.push_back(fmt::format("{}: unknown key server.{}; the nearest known key is server.{}", place(part),
                                        key.str(), nearest_part(key.str())));
      } else if (part.is_table()) {
        settings(*part.as_table(), scaled ? scenario_.scaled : scenario_.settings, scaled);
      } else {
        mistakes_.push_back(fmt::format("{}: server.{} must be a table", place(part), key.str()));
      }
    }
  }
  void settings(const toml::table& table, std::vector<std::pair<std::string, std::string>>& place_of, bool scaled) {
    for (const auto& [key, node] : table) {
      const bool fits = node.is_string() && (!scaled || config::parse_duration(node.as_string()->get()));
      if (fits) {
        place_of.emplace_back(key.str(), node.as_string()->get());
      } else {
        mistakes_.push_back(fmt::format("{}: \"{}\" must be {}", place(node), key.str(),
                                        scaled ? "a duration such as \"10m\"" : "a text, as after --set"));
      }
    }
  }
  [[nodiscard]] std::string nearest(const std::string& name) const {
    std::vector<std::string> known{"arrivals", "stage", "people", "server"};
    for (const Key& key : keys_.all()) known.push_back(key.name);
    return *std::min_element(known.begin(), known.end(), [&](const std::string& a, const std::string& b) {
      return config::edit_distance(a, name) < config::edit_distance(b, name);
    });
  }
  [[nodiscard]] static std::string_view nearest_part(std::string_view name) {
    return config::edit_distance(name, "scaled") < config::edit_distance(name, "settings") ? "scaled" : "settings";
  }
  [[nodiscard]] std::string place(const toml::node& node) const {
    return fmt::format("{}:{}", file_, node.source().begin.line);
  }

  Scenario& scenario_;
  Keys keys_;
  std::string file_;
  std::vector<std::string> mistakes_;
};

}  // namespace

std::vector<std::string> Scenario::server_settings() const {
  std::vector<std::string> all;
  for (const auto& [key, value] : settings) all.push_back(key + "=" + value);
  for (const auto& [key, value] : scaled) {
    const Duration full = *config::parse_duration(value);
    const auto real_ms = static_cast<std::int64_t>(static_cast<double>(full.count()) / time_scale);
    all.push_back(fmt::format("{}={}ms", key, std::max<std::int64_t>(real_ms, 1)));
  }
  return all;
}

Result<Scenario> parse_scenario(std::string_view toml, std::string_view name) {
  Scenario scenario;
  try {
    const toml::table table = toml::parse(toml, name);
    Reader reader(scenario, name);
    reader.table(table, "");
    reader.whole();
    if (!reader.mistakes().empty()) {
      return make_error(ErrorCode::invalid, fmt::format("{}", fmt::join(reader.mistakes(), "\n")));
    }
  } catch (const toml::parse_error& error) {
    return make_error(ErrorCode::invalid,
                      fmt::format("{}:{}: {}", name, error.source().begin.line, error.description()));
  }
  return scenario;
}

Result<Scenario> load_scenario(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return make_error(ErrorCode::not_found, "cannot read " + file);
  std::ostringstream text;
  text << in.rdbuf();
  return parse_scenario(text.str(), file);
}

}  // namespace usher::flash
