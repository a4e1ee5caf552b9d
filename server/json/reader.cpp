#include "server/json/reader.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <bit>

namespace usher::server::json {
namespace dom = simdjson::dom;
static_assert(padding_bytes >= simdjson::SIMDJSON_PADDING);
static_assert(sizeof(Node) == sizeof(dom::element) && sizeof(Node) == sizeof(dom::object::iterator));

struct Reader::Parser {
  dom::parser dom;
};

namespace {

// Deepest nesting of a text; what we read has at most 6 levels.
constexpr std::size_t depth_max = 32;
// Fields of one object: one bit each tells the known from the unknown. Our widest has 14.
constexpr std::size_t fields_max = 64;
// A string longer than this is not repeated in an error.
constexpr std::size_t quoted_bytes_max = 64;

Node to_node(dom::element element) noexcept {
  return std::bit_cast<Node>(element);
}
dom::element to_element(Node node) noexcept {
  return std::bit_cast<dom::element>(node);
}
dom::object to_object(Node node) noexcept {
  return to_element(node).get_object().value_unsafe();
}

std::string_view describe(simdjson::error_code error) noexcept {
  switch (error) {
    case simdjson::EMPTY:
      return "is empty, a JSON object is expected";
    case simdjson::UTF8_ERROR:
      return "is not valid UTF-8";
    case simdjson::DEPTH_ERROR:
      return "is nested more than 32 deep";
    case simdjson::CAPACITY:
      return "is too long";
    case simdjson::MEMALLOC:
      return "is too long for the memory there is";
    case simdjson::NUMBER_ERROR:
      return "has a number that is malformed or out of range";
    case simdjson::STRING_ERROR:
      return "has a malformed string";
    case simdjson::UNCLOSED_STRING:
      return "has a string without an end";
    default:
      return "is not valid JSON";
  }
}

void append_path(std::string& out, const Path& path) {
  if (path.parent != nullptr) append_path(out, *path.parent);
  if (path.index >= 0) {
    out += fmt::format("[{}]", path.index);
  } else if (!path.name.empty()) {
    if (!out.empty()) out += '.';
    out += path.name.substr(0, quoted_bytes_max);
  }
}

std::string string_rule(StringRule rule) {
  if (rule.bytes_min == rule.bytes_max) return fmt::format("must be a string of {} bytes", rule.bytes_min);
  return fmt::format("must be a string of {} to {} bytes", rule.bytes_min, rule.bytes_max);
}
std::string integer_rule(std::int64_t min, std::int64_t max) {
  return fmt::format("must be an integer from {} to {}", min, max);
}
std::string number_rule(double min, double max) {
  return fmt::format("must be a number from {} to {}", min, max);
}
std::string array_rule(std::size_t min, std::size_t max) {
  return fmt::format("must be an array of {} to {} elements", min, max);
}
std::string choice_rule(std::span<const std::string_view> choices) {
  return fmt::format("must be one of {}", fmt::join(choices, ", "));
}

std::optional<std::string_view> string_of(Node node, StringRule rule) noexcept {
  std::string_view text;
  if (to_element(node).get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
  if (text.size() < rule.bytes_min || text.size() > rule.bytes_max) return std::nullopt;
  return text;
}
std::optional<std::int64_t> integer_of(Node node, std::int64_t min, std::int64_t max) noexcept {
  std::int64_t value = 0;
  if (to_element(node).get_int64().get(value) != simdjson::SUCCESS) return std::nullopt;
  if (value < min || value > max) return std::nullopt;
  return value;
}
std::optional<double> number_of(Node node, double min, double max) noexcept {
  double value = 0;
  if (to_element(node).get_double().get(value) != simdjson::SUCCESS) return std::nullopt;
  if (!(value >= min && value <= max)) return std::nullopt;
  return value;
}
std::optional<std::size_t> choice_of(Node node, std::span<const std::string_view> choices) noexcept {
  std::string_view text;
  if (to_element(node).get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (choices[i] == text) return i;
  }
  return std::nullopt;
}

// simdjson's own count stops at 0xFFFFFF: longer arrays are counted by walking.
std::size_t count_elements(dom::array array) noexcept {
  if (array.size() != 0xFFFFFFU) return array.size();
  std::size_t count = 0;
  for ([[maybe_unused]] dom::element element : array) ++count;
  return count;
}

}  // namespace

// --- Object ---------------------------------------------------------------------------------------------------------

Object::Object(Reader& reader, Path path, std::optional<Node> node) : reader_(reader), path_(path) {
  if (!node) return;
  node_ = *node;
  if (!to_element(node_).is_object()) {
    reader_.fail(path_, "must be an object");
  } else if (to_object(node_).size() > fields_max) {
    reader_.fail(path_, "has more than 64 fields");
  } else {
    present_ = true;
  }
}

std::optional<Node> Object::find(std::string_view name) {
  if (!present_) return std::nullopt;
  std::optional<Node> found;
  std::size_t index = 0;
  const dom::object object = to_object(node_);
  for (auto field = object.begin(); field != object.end(); ++field, ++index) {
    if (!field.key_equals(name)) continue;
    if (found) fail(name, "is given twice");
    known_ |= std::uint64_t{1} << index;
    if (!found) found = to_node(field.value());
  }
  return found;
}

std::optional<Node> Object::find_required(std::string_view name, std::string_view rule) {
  const std::optional<Node> node = find(name);
  if (!node && present_) fail(name, rule);
  return node;
}

std::optional<Node> Object::find_optional(std::string_view name) {
  const std::optional<Node> node = find(name);
  if (node && to_element(*node).is_null()) return std::nullopt;
  return node;
}

bool Object::has(std::string_view name) const noexcept {
  if (!present_) return false;
  dom::element element;
  return to_object(node_).at_key(name).get(element) == simdjson::SUCCESS && !element.is_null();
}

bool Object::has_array(std::string_view name) const noexcept {
  dom::element element;
  return present_ && to_object(node_).at_key(name).get(element) == simdjson::SUCCESS && element.is_array();
}

std::string_view Object::string(std::string_view name, StringRule rule) {
  const std::optional<Node> node = find_required(name, "is required");
  if (!node) return {};
  const std::optional<std::string_view> text = string_of(*node, rule);
  if (!text) fail(name, string_rule(rule));
  return text.value_or(std::string_view{});
}

std::int64_t Object::integer(std::string_view name, std::int64_t min, std::int64_t max) {
  const std::optional<Node> node = find_required(name, "is required");
  if (!node) return min;
  const std::optional<std::int64_t> value = integer_of(*node, min, max);
  if (!value) fail(name, integer_rule(min, max));
  return value.value_or(min);
}

double Object::number(std::string_view name, double min, double max) {
  const std::optional<Node> node = find_required(name, "is required");
  if (!node) return min;
  const std::optional<double> value = number_of(*node, min, max);
  if (!value) fail(name, number_rule(min, max));
  return value.value_or(min);
}

bool Object::boolean(std::string_view name) {
  const std::optional<Node> node = find_required(name, "is required");
  bool value = false;
  if (node && to_element(*node).get_bool().get(value) != simdjson::SUCCESS) fail(name, "must be true or false");
  return value;
}

Object Object::object(std::string_view name) {
  return {reader_, {&path_, name, -1}, find_required(name, "is required")};
}

Array Object::array(std::string_view name, std::size_t count_min, std::size_t count_max) {
  return {reader_, {&path_, name, -1}, find_required(name, "is required"), count_min, count_max};
}

std::size_t Object::one_of(std::string_view name, std::span<const std::string_view> choices) {
  const std::optional<Node> node = find_required(name, "is required");
  if (!node) return 0;
  const std::optional<std::size_t> index = choice_of(*node, choices);
  if (!index) fail(name, choice_rule(choices));
  return index.value_or(0);
}

std::optional<std::string_view> Object::optional_string(std::string_view name, StringRule rule) {
  const std::optional<Node> node = find_optional(name);
  if (!node) return std::nullopt;
  const std::optional<std::string_view> text = string_of(*node, rule);
  if (!text) fail(name, string_rule(rule));
  return text;
}

std::optional<std::int64_t> Object::optional_integer(std::string_view name, std::int64_t min, std::int64_t max) {
  const std::optional<Node> node = find_optional(name);
  if (!node) return std::nullopt;
  const std::optional<std::int64_t> value = integer_of(*node, min, max);
  if (!value) fail(name, integer_rule(min, max));
  return value;
}

std::optional<double> Object::optional_number(std::string_view name, double min, double max) {
  const std::optional<Node> node = find_optional(name);
  if (!node) return std::nullopt;
  const std::optional<double> value = number_of(*node, min, max);
  if (!value) fail(name, number_rule(min, max));
  return value;
}

std::optional<bool> Object::optional_boolean(std::string_view name) {
  const std::optional<Node> node = find_optional(name);
  if (!node) return std::nullopt;
  bool value = false;
  if (to_element(*node).get_bool().get(value) == simdjson::SUCCESS) return value;
  fail(name, "must be true or false");
  return std::nullopt;
}

Object Object::optional_object(std::string_view name) {
  return {reader_, {&path_, name, -1}, find_optional(name)};
}

Array Object::optional_array(std::string_view name, std::size_t count_min, std::size_t count_max) {
  return {reader_, {&path_, name, -1}, find_optional(name), count_min, count_max};
}

std::optional<std::size_t> Object::optional_one_of(std::string_view name, std::span<const std::string_view> choices) {
  const std::optional<Node> node = find_optional(name);
  if (!node) return std::nullopt;
  const std::optional<std::size_t> index = choice_of(*node, choices);
  if (!index) fail(name, choice_rule(choices));
  return index;
}

void Object::fail(std::string_view name, std::string_view rule) {
  if (name.empty()) return reader_.fail(path_, rule);
  reader_.fail({&path_, name, -1}, rule);
}

void Object::finish() {
  if (!present_) return;
  std::size_t index = 0;
  const dom::object object = to_object(node_);
  for (auto field = object.begin(); field != object.end(); ++field, ++index) {
    if ((known_ >> index & 1U) == 0)
      fail(field.key().empty() ? std::string_view{"\"\""} : field.key(), "is not a field here");
  }
}

// --- Array ----------------------------------------------------------------------------------------------------------

Array::Array(Reader& reader, Path path, std::optional<Node> node, std::size_t count_min, std::size_t count_max)
    : reader_(reader), path_(path) {
  if (!node) return;
  dom::array array;
  const bool is_array = to_element(*node).get_array().get(array) == simdjson::SUCCESS;
  if (is_array) size_ = count_elements(array);
  if (!is_array || size_ < count_min || size_ > count_max) {
    size_ = 0;
    reader_.fail(path_, array_rule(count_min, count_max));
    return;
  }
  at_ = std::bit_cast<Node>(array.begin());
  present_ = true;
}

bool Array::next() noexcept {
  if (index_ + 1 >= static_cast<std::int64_t>(size_)) return false;
  if (index_ >= 0) at_ = std::bit_cast<Node>(++std::bit_cast<dom::array::iterator>(at_));
  ++index_;
  return true;
}

std::string_view Array::string(StringRule rule) {
  const std::optional<std::string_view> text = string_of(at_, rule);
  if (!text) fail(string_rule(rule));
  return text.value_or(std::string_view{});
}

std::int64_t Array::integer(std::int64_t min, std::int64_t max) {
  const std::optional<std::int64_t> value = integer_of(at_, min, max);
  if (!value) fail(integer_rule(min, max));
  return value.value_or(min);
}

double Array::number(double min, double max) {
  const std::optional<double> value = number_of(at_, min, max);
  if (!value) fail(number_rule(min, max));
  return value.value_or(min);
}

Object Array::object() {
  return {reader_, element_path(), at_};
}

Array Array::array(std::size_t count_min, std::size_t count_max) {
  return {reader_, element_path(), at_, count_min, count_max};
}

void Array::fail(std::string_view rule) {
  reader_.fail(element_path(), rule);
}

// --- Reader ---------------------------------------------------------------------------------------------------------

Reader::Reader(std::size_t bytes_max, std::size_t errors_max)
    : parser_(std::make_unique<Parser>()), bytes_max_(bytes_max), errors_max_(errors_max) {}
Reader::~Reader() = default;

Object Reader::parse(std::string_view text) {
  errors_.clear();
  error_count_ = 0;
  if (text.size() > bytes_max_) {
    fail({nullptr, "body", -1}, fmt::format("is longer than {} bytes", bytes_max_));
    return {*this, {}, std::nullopt};
  }
  simdjson::error_code error = simdjson::SUCCESS;
  if (parser_->dom.capacity() < text.size() || parser_->dom.max_depth() != depth_max) {
    error = parser_->dom.allocate(std::max<std::size_t>(text.size() * 2, 4'096), depth_max);
  }
  dom::element root;
  if (error == simdjson::SUCCESS) error = parser_->dom.parse(text.data(), text.size(), false).get(root);
  if (error == simdjson::SUCCESS && root.is_object()) return {*this, {}, to_node(root)};
  fail({nullptr, "body", -1}, error == simdjson::SUCCESS ? "must be a JSON object" : describe(error));
  return {*this, {}, std::nullopt};
}

Object Reader::parse_copy(std::string_view text) {
  copy_.clear();
  copy_.append(text);
  return parse(copy_.view());
}

void Reader::fail(const Path& path, std::string_view rule) {
  ++error_count_;
  if (errors_.size() >= errors_max_) return;
  std::string text;
  append_path(text, path);
  if (text.empty()) text = "body";
  text += ": ";
  text += rule;
  errors_.push_back(std::move(text));
}

bool is_utf8(std::string_view text) noexcept {
  return simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace usher::server::json
