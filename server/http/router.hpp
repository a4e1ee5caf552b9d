#pragma once
/// From method and path to a number that the application chose: a tree over path segments, one step per segment, no
/// allocation. Built once at the start, then read only and safe to share between loops.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/head.hpp"

namespace usher::server::http {

/// The application's own number of a route.
using RouteId = std::uint16_t;

struct RouteMatch {
  enum class Kind : std::uint8_t { found, not_found, method_not_allowed };
  static constexpr std::size_t parameters_max = 4;

  Kind kind = Kind::not_found;
  RouteId route = 0;
  std::uint8_t parameter_count = 0;
  std::array<std::string_view, parameters_max> parameters;  ///< in the order of the pattern, still percent-encoded
  std::string_view allow_field;                             ///< with method_not_allowed: "Allow: GET, HEAD\r\n"
};

class Router {
 public:
  Router();
  /// Adds a route for `pattern`: literal segments, "{name}" for any one segment, or "{name}.svg" for one with that
  /// ending. A literal goes before an ending, an ending before a bare parameter. A GET route answers HEAD too.
  /// Requires: the pattern begins with '/', has at most 4 parameters, and was not added with this method before.
  void add(Method method, std::string_view pattern, RouteId route);
  [[nodiscard]] RouteMatch match(Method method, std::string_view path) const noexcept;

 private:
  static constexpr std::uint32_t no_node = 0xffffffff;
  static constexpr int no_route = -1;
  struct Edge {
    std::string text;  // of a literal the segment, of a parameter its ending
    std::uint32_t node;
  };
  struct Node {
    std::vector<Edge> literals;
    std::vector<Edge> parameters;  // longest ending first, the bare one (an empty ending) last
    std::array<int, static_cast<std::size_t>(Method::count_)> routes;
    std::string allow_field;
    bool has_routes = false;
  };

  std::uint32_t child(std::uint32_t node, std::string_view segment);
  std::uint32_t find(std::uint32_t node, std::string_view rest, RouteMatch& match) const noexcept;
  static void build_allow(Node& node);

  std::vector<Node> nodes_;
};

/// Decodes %XX (and '+' as a space where `plus_is_space`). Returns: false when an escape is malformed or a NUL comes
/// out.
[[nodiscard]] bool percent_decode(std::string_view text, std::string& out, bool plus_is_space = false);

/// The parameters of a query, decoded. Not for the hottest path: it allocates.
class Query {
 public:
  static constexpr std::size_t parameters_max = 32;

  /// Returns: false when an escape is malformed, a name comes twice, or there are more than 32 parameters.
  [[nodiscard]] bool parse(std::string_view query);
  /// Returns: the value, or nothing. Marks the parameter as known.
  [[nodiscard]] const std::string* find(std::string_view name) noexcept;
  /// Calls `visit(name, value)` for each, in the order given.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const Parameter& parameter : parameters_) visit(parameter.name, parameter.value);
  }
  /// A parameter that nobody has asked for, or empty: for refusing what is unknown.
  [[nodiscard]] std::string_view first_unknown() const noexcept;

 private:
  struct Parameter {
    std::string name;
    std::string value;
    bool known = false;
  };
  std::vector<Parameter> parameters_;
};

}  // namespace usher::server::http
