#pragma once
/// The checks of an import that look at one thing at a time; what concerns several of them stands in import.cpp. For
/// import.cpp only.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/catalog/import.hpp"

namespace usher::engine {

inline constexpr std::string_view external_id_rule = "must be 1 to 64 of the characters A-Z a-z 0-9 . _ ~ -";

/// Gathers errors up to a bound.
class ImportErrors {
 public:
  void add(std::string path, std::string_view rule) {
    ++count_;
    if (errors_.size() < import_errors_max) errors_.push_back({std::move(path), std::string{rule}});
  }
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] std::vector<PathError> take() {
    if (count_ > errors_.size()) {
      errors_.push_back({"", std::to_string(count_ - errors_.size()) + " more errors"});
    }
    return std::move(errors_);
  }

 private:
  std::vector<PathError> errors_;
  std::size_t count_ = 0;
};

[[nodiscard]] inline std::string screen_path(std::size_t theater, std::size_t screen) {
  return "theaters[" + std::to_string(theater) + "].screens[" + std::to_string(screen) + "]";
}

/// Every movie by itself.
void check_movies(const CatalogDocument& document, ImportErrors& errors);
/// Every theater and screen by itself, theater ids and the names of cities among each other.
void check_theaters(const CatalogDocument& document, const ImportOptions& options, ImportErrors& errors);

}  // namespace usher::engine
