#pragma once
/// The options of a bench program: `--name value` pairs, each of which must be asked for. For one thread.

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

namespace usher::bench {

class Arguments {
 public:
  /// `where` tells in which file the options stand, for who uses a wrong one. Exits with code 2 on anything but pairs.
  Arguments(int argc, char** argv, const char* where) : program_(argv[0]), where_(where) {
    for (int i = 1; i < argc; i += 2) {
      if (i + 1 >= argc || std::string_view(argv[i]).substr(0, 2) != "--") usage(argv[i]);
      values_[argv[i] + 2] = argv[i + 1];
    }
  }
  std::string text(const std::string& name, const std::string& otherwise) {
    const auto found = values_.find(name);
    if (found == values_.end()) return otherwise;
    std::string value = found->second;
    values_.erase(found);
    return value;
  }
  std::size_t count(const std::string& name, std::size_t otherwise) {
    return static_cast<std::size_t>(std::strtoull(text(name, std::to_string(otherwise)).c_str(), nullptr, 10));
  }
  double real(const std::string& name, double otherwise) {
    return std::strtod(text(name, std::to_string(otherwise)).c_str(), nullptr);
  }
  /// Exits with code 2 when an option was given that nobody asked for.
  void expect_no_more() const {
    if (!values_.empty()) usage(values_.begin()->first.c_str());
  }

 private:
  [[noreturn]] void usage(const char* what) const {
    std::fprintf(stderr, "%s: cannot use '%s'; the options stand at the head of %s\n", program_, what, where_);
    std::exit(2);
  }
  const char* program_;
  const char* where_;
  std::map<std::string, std::string> values_;
};

}  // namespace usher::bench
