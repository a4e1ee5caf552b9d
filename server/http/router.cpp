#include "server/http/router.hpp"

#include <algorithm>

#include "server/http/chars.hpp"
#include "usher/assert.hpp"

namespace usher::server::http {

Router::Router() {
  nodes_.emplace_back();
  nodes_.back().routes.fill(no_route);
}

void Router::add(Method method, std::string_view pattern, RouteId route) {
  USHER_ASSERT(pattern.starts_with('/'));
  std::uint32_t node = 0;
  std::string_view rest = pattern;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    node = child(node, rest.substr(0, slash));
    rest.remove_prefix(slash);
  }
  Node& end = nodes_[node];
  USHER_ASSERT(end.routes[static_cast<std::size_t>(method)] == no_route);
  end.routes[static_cast<std::size_t>(method)] = route;
  end.has_routes = true;
  build_allow(end);
}

std::uint32_t Router::child(std::uint32_t node, std::string_view segment) {
  const bool parameter = segment.starts_with('{');
  std::string_view text = segment;
  if (parameter) {
    const std::size_t end = segment.find('}');
    USHER_ASSERT(end != std::string_view::npos);
    text = segment.substr(end + 1);
  }
  for (const Edge& edge : parameter ? nodes_[node].parameters : nodes_[node].literals) {
    if (edge.text == text) return edge.node;
  }
  const auto added = static_cast<std::uint32_t>(nodes_.size());
  nodes_.emplace_back();
  nodes_.back().routes.fill(no_route);
  std::vector<Edge>& edges = parameter ? nodes_[node].parameters : nodes_[node].literals;
  edges.push_back({std::string{text}, added});
  std::stable_sort(edges.begin(), edges.end(),
                   [](const Edge& a, const Edge& b) { return a.text.size() > b.text.size(); });
  return added;
}

void Router::build_allow(Node& node) {
  node.allow_field = "Allow: ";
  const bool implied_head = node.routes[static_cast<std::size_t>(Method::get)] != no_route;
  for (std::size_t i = 0; i < node.routes.size(); ++i) {
    if (node.routes[i] == no_route && !(implied_head && static_cast<Method>(i) == Method::head)) continue;
    if (!node.allow_field.ends_with(' ')) node.allow_field += ", ";
    node.allow_field += to_string(static_cast<Method>(i));
  }
  node.allow_field += "\r\n";
}

RouteMatch Router::match(Method method, std::string_view path) const noexcept {
  RouteMatch match;
  const std::uint32_t at = find(0, path, match);
  if (at == no_node) return match;
  const Node& node = nodes_[at];
  int route = node.routes[static_cast<std::size_t>(method)];
  if (route == no_route && method == Method::head) route = node.routes[static_cast<std::size_t>(Method::get)];
  if (route == no_route) {
    match.kind = RouteMatch::Kind::method_not_allowed;
    match.allow_field = node.allow_field;
  } else {
    match.kind = RouteMatch::Kind::found;
    match.route = static_cast<RouteId>(route);
  }
  return match;
}

// Goes back at most once per parameter of the pattern, so the work is bounded by the routes, not by the path.
std::uint32_t Router::find(std::uint32_t at, std::string_view rest, RouteMatch& match) const noexcept {
  const Node& node = nodes_[at];
  if (rest.empty()) return node.has_routes ? at : no_node;
  if (rest.front() != '/') return no_node;
  rest.remove_prefix(1);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view segment = rest.substr(0, slash);
  const std::string_view behind = rest.substr(slash);
  for (const Edge& edge : node.literals) {
    if (edge.text != segment) continue;
    const std::uint32_t found = find(edge.node, behind, match);
    if (found != no_node) return found;
  }
  if (match.parameter_count == RouteMatch::parameters_max) return no_node;
  for (const Edge& edge : node.parameters) {
    if (segment.size() <= edge.text.size() || !segment.ends_with(edge.text)) continue;
    match.parameters[match.parameter_count++] = segment.substr(0, segment.size() - edge.text.size());
    const std::uint32_t found = find(edge.node, behind, match);
    if (found != no_node) return found;
    --match.parameter_count;
  }
  return no_node;
}

bool percent_decode(std::string_view text, std::string& out, bool plus_is_space) {
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus_is_space) c = ' ';
    if (c == '%') {
      if (text.size() - i < 3 || !chars::is(text[i + 1], chars::hex) || !chars::is(text[i + 2], chars::hex))
        return false;
      c = static_cast<char>(chars::hex_value(text[i + 1]) << 4U | chars::hex_value(text[i + 2]));
      i += 2;
    }
    if (c == '\0') return false;
    out.push_back(c);
  }
  return true;
}

bool Query::parse(std::string_view query) {
  parameters_.clear();
  while (!query.empty()) {
    const std::size_t ampersand = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, ampersand);
    query.remove_prefix(std::min(ampersand + 1, query.size()));
    if (pair.empty()) continue;
    if (parameters_.size() == parameters_max) return false;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    Parameter parameter;
    if (!percent_decode(pair.substr(0, equals), parameter.name, true)) return false;
    if (!percent_decode(pair.substr(std::min(equals + 1, pair.size())), parameter.value, true)) return false;
    if (find(parameter.name) != nullptr) return false;
    parameters_.push_back(std::move(parameter));
  }
  for (Parameter& parameter : parameters_) parameter.known = false;
  return true;
}

const std::string* Query::find(std::string_view name) noexcept {
  for (Parameter& parameter : parameters_) {
    if (parameter.name != name) continue;
    parameter.known = true;
    return &parameter.value;
  }
  return nullptr;
}

std::string_view Query::first_unknown() const noexcept {
  for (const Parameter& parameter : parameters_) {
    if (!parameter.known) return parameter.name;
  }
  return {};
}

}  // namespace usher::server::http
