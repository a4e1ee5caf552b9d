#pragma once
/// Reads a JSON text from somebody we do not trust, field by field, and says of everything wrong where it is and which
/// rule it breaks: "seat_ids[3]: must be a string of 1 to 15 bytes". One Reader per loop, reused, for one thread; it
/// never throws and allocates only when a text is larger than any before, or wrong.
///
/// The whole text is parsed and its UTF-8 checked before the first field is read (simdjson's DOM), so that nothing
/// malformed comes to light late. After an error reads yield defaults, as ByteReader's do: callers check ok() once, at
/// the end, after finish() has refused the fields that nobody asked for.
///
///   json::Reader reader;                                // kept
///   json::Object root = reader.parse(body);
///   const std::string_view id = root.string("reservation_id", {36, 36});
///   json::Array seats = root.optional_array("seat_ids", 1, 32);
///   while (seats.next()) use(seats.string({1, 15}));
///   root.finish();
///   if (!reader.ok()) return refuse(reader.error());
///
/// Views point into the Reader and live until its next parse(). Objects and Arrays refer to the one they came from,
/// which must outlive them: they are locals, never stored.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/json/text_buffer.hpp"

namespace usher::server::json {

class Reader;

/// Bounds of a string's length in bytes, both inclusive.
struct StringRule {
  std::size_t bytes_min = 0;
  std::size_t bytes_max = 0;
};

/// Where a value stands in its text; a chain over the callers' stack frames.
struct Path {
  const Path* parent = nullptr;
  std::string_view name;
  std::int64_t index = -1;
};

/// A place in the parsed text, opaque: only reader.cpp knows what simdjson keeps in it.
struct Node {
  const void* document = nullptr;
  std::size_t index = 0;
};

class Array;

/// An object of the text, or an absent one (optional and not given, or wrong): that reads as empty, without errors.
class Object {
 public:
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  /// False where an optional object was not given or something was wrong with it.
  [[nodiscard]] bool present() const noexcept { return present_; }
  /// Whether the field stands there and is not null. Does not count as reading it.
  [[nodiscard]] bool has(std::string_view name) const noexcept;

  /// Whether the field is an array, where more than one type is allowed. Does not count as reading it.
  [[nodiscard]] bool has_array(std::string_view name) const noexcept;

  // Required fields: absent is an error, and yields the default.
  [[nodiscard]] std::string_view string(std::string_view name, StringRule rule);
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t min, std::int64_t max);
  [[nodiscard]] double number(std::string_view name, double min, double max);
  [[nodiscard]] bool boolean(std::string_view name);
  [[nodiscard]] Object object(std::string_view name);
  [[nodiscard]] Array array(std::string_view name, std::size_t count_min, std::size_t count_max);
  /// Returns: the index of the string in `choices`; 0 after an error.
  [[nodiscard]] std::size_t one_of(std::string_view name, std::span<const std::string_view> choices);

  // Optional fields: absent and null are nothing; a wrong type or value is an error and yields nothing.
  [[nodiscard]] std::optional<std::string_view> optional_string(std::string_view name, StringRule rule);
  [[nodiscard]] std::optional<std::int64_t> optional_integer(std::string_view name, std::int64_t min, std::int64_t max);
  [[nodiscard]] std::optional<double> optional_number(std::string_view name, double min, double max);
  [[nodiscard]] std::optional<bool> optional_boolean(std::string_view name);
  [[nodiscard]] Object optional_object(std::string_view name);
  [[nodiscard]] Array optional_array(std::string_view name, std::size_t count_min, std::size_t count_max);
  [[nodiscard]] std::optional<std::size_t> optional_one_of(std::string_view name,
                                                           std::span<const std::string_view> choices);

  /// Adds an error of the caller's own, about the field or (name empty) about the object: "show_id: no such show".
  void fail(std::string_view name, std::string_view rule);
  /// Refuses every field that was not asked for, by name. Call it last.
  void finish();

 private:
  friend class Reader;
  friend class Array;
  Object(Reader& reader, Path path, std::optional<Node> node);

  // Marks the field as known and complains about a second one. Returns: nothing where it is absent.
  std::optional<Node> find(std::string_view name);
  std::optional<Node> find_required(std::string_view name, std::string_view rule);
  std::optional<Node> find_optional(std::string_view name);

  Reader& reader_;
  Path path_;
  Node node_;
  bool present_ = false;
  std::uint64_t known_ = 0;  // bit i: the object's field i was asked for
};

/// An array of the text, walked once: `while (a.next()) use(a.string(...))`. An absent one has no elements.
class Array {
 public:
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  [[nodiscard]] bool present() const noexcept { return present_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Steps to the next element. Returns: false at the end.
  [[nodiscard]] bool next() noexcept;

  // The element stepped to; of another type or out of bounds: an error, and the default.
  [[nodiscard]] std::string_view string(StringRule rule);
  [[nodiscard]] std::int64_t integer(std::int64_t min, std::int64_t max);
  [[nodiscard]] double number(double min, double max);
  [[nodiscard]] Object object();
  [[nodiscard]] Array array(std::size_t count_min, std::size_t count_max);
  /// Adds an error of the caller's own about the element stepped to: "seat_ids[3]: named twice".
  void fail(std::string_view rule);

 private:
  friend class Object;
  Array(Reader& reader, Path path, std::optional<Node> node, std::size_t count_min, std::size_t count_max);
  [[nodiscard]] Path element_path() const noexcept { return {&path_, {}, index_}; }

  Reader& reader_;
  Path path_;
  Node at_;
  bool present_ = false;
  std::size_t size_ = 0;
  std::int64_t index_ = -1;
};

class Reader {
 public:
  /// Texts longer than `bytes_max` are refused; at most `errors_max` errors of one text are kept.
  explicit Reader(std::size_t bytes_max = std::size_t{4} << 20U, std::size_t errors_max = 1);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /// Requires: behind `text` lie `padding_bytes` more that may be read (request bodies and TextBuffers have them).
  /// Returns: the object that the text is; anything else is an error and reads as an absent object.
  [[nodiscard]] Object parse(std::string_view text);
  /// The same for text without padding, which is copied first.
  [[nodiscard]] Object parse_copy(std::string_view text);

  [[nodiscard]] bool ok() const noexcept { return error_count_ == 0; }
  /// The first error, or empty.
  [[nodiscard]] std::string_view error() const noexcept {
    return errors_.empty() ? std::string_view{} : errors_.front();
  }
  [[nodiscard]] const std::vector<std::string>& errors() const noexcept { return errors_; }
  /// How many there were, kept or not.
  [[nodiscard]] std::size_t error_count() const noexcept { return error_count_; }

 private:
  friend class Object;
  friend class Array;
  struct Parser;
  void fail(const Path& path, std::string_view rule);

  std::unique_ptr<Parser> parser_;
  std::size_t bytes_max_;
  std::size_t errors_max_;
  std::size_t error_count_ = 0;
  std::vector<std::string> errors_;
  TextBuffer copy_;
};

/// Whether all of `text` is UTF-8 (RFC 3629).
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

}  // namespace usher::server::json
