#pragma once
/// Writes JSON onto the end of a TextBuffer it does not own. For one thread. It keeps no stack: whether a comma is due
/// is read off the last byte written, so a Writer may be made anywhere, in the middle of a text too. It never checks
/// that brackets match; the tests of its callers do.

#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>

#include "server/json/text_buffer.hpp"
#include "usher/ids.hpp"
#include "usher/money.hpp"
#include "usher/time.hpp"

namespace usher::server::json {

/// Length of "2026-11-24T18:00:00.000Z".
inline constexpr std::size_t instant_text_bytes = 24;

/// Writes an RFC 3339 time in UTC with milliseconds, 24 bytes, no terminator. Years outside 0000..9999 are clamped.
/// The calendar is Howard Hinnant's civil_from_days.
void write_instant(Instant instant, char* out24) noexcept;

/// Appends `text` with the escapes that RFC 8259 section 7 demands, without quotes. Invalid UTF-8 becomes U+FFFD.
void append_escaped(TextBuffer& out, std::string_view text);

class Writer {
 public:
  explicit Writer(TextBuffer& out) noexcept : out_(out) {}

  void begin_object() {
    comma();
    out_.push('{');
  }
  void end_object() { out_.push('}'); }
  void begin_array() {
    comma();
    out_.push('[');
  }
  void end_array() { out_.push(']'); }

  /// `name` is written as it is: names are ours and need no escaping.
  void key(std::string_view name) {
    comma();
    char* at = out_.prepare(name.size() + 3);
    *at = '"';
    std::memcpy(at + 1, name.data(), name.size());
    at[name.size() + 1] = '"';
    at[name.size() + 2] = ':';
    out_.commit(name.size() + 3);
  }

  void string(std::string_view text) {
    comma();
    out_.push('"');
    append_escaped(out_, text);
    out_.push('"');
  }
  /// A string that is known to need no escaping.
  void plain_string(std::string_view text) {
    comma();
    char* at = out_.prepare(text.size() + 2);
    *at = '"';
    std::memcpy(at + 1, text.data(), text.size());
    at[text.size() + 1] = '"';
    out_.commit(text.size() + 2);
  }
  void integer(std::int64_t value) { number(value); }
  void unsigned_integer(std::uint64_t value) { number(value); }
  /// Shortest form that reads back as the same double; not-a-number and the infinities become null.
  void real(double value);
  void boolean(bool value) { raw(value ? std::string_view{"true"} : std::string_view{"false"}); }
  void null() { raw("null"); }
  /// A JSON value that is ready made.
  void raw(std::string_view value) {
    comma();
    out_.append(value);
  }
  void instant(Instant value) {
    comma();
    char* at = out_.prepare(instant_text_bytes + 2);
    at[0] = '"';
    write_instant(value, at + 1);
    at[instant_text_bytes + 1] = '"';
    out_.commit(instant_text_bytes + 2);
  }
  void uuid(const Uuid& value) {
    comma();
    char* at = out_.prepare(38);
    at[0] = '"';
    write_uuid(value, at + 1);
    at[37] = '"';
    out_.commit(38);
  }
  void id(const Id& value) { uuid(to_uuid(value)); }
  /// {"amount":1500,"currency":"USD"}
  void money(const Money& value) {
    begin_object();
    field("amount", value.amount);
    key("currency");
    plain_string(value.currency.view());
    end_object();
  }

  void field(std::string_view name, std::string_view text) {
    key(name);
    string(text);
  }
  void field(std::string_view name, const char* text) { field(name, std::string_view{text}); }
  void field(std::string_view name, std::int64_t value) {
    key(name);
    number(value);
  }
  void field(std::string_view name, std::uint64_t value) {
    key(name);
    number(value);
  }
  void field(std::string_view name, std::int32_t value) { field(name, std::int64_t{value}); }
  void field(std::string_view name, std::uint32_t value) { field(name, std::uint64_t{value}); }
  void field(std::string_view name, bool value) {
    key(name);
    boolean(value);
  }
  void field(std::string_view name, double value) {
    key(name);
    real(value);
  }
  void field(std::string_view name, Instant value) {
    key(name);
    instant(value);
  }
  void field(std::string_view name, const Id& value) {
    key(name);
    id(value);
  }
  void field(std::string_view name, const Money& value) {
    key(name);
    money(value);
  }

  [[nodiscard]] TextBuffer& buffer() noexcept { return out_; }

 private:
  void comma() {
    if (out_.empty()) return;
    const char last = out_.back();
    if (last != '{' && last != '[' && last != ':' && last != '\n' && last != ',') out_.push(',');
  }
  template <class T>
  void number(T value) {
    comma();
    char* at = out_.prepare(20);
    out_.commit(static_cast<std::size_t>(std::to_chars(at, at + 20, value).ptr - at));
  }

  TextBuffer& out_;
};

}  // namespace usher::server::json
