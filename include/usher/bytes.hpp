#pragma once
/// Writing and reading the few primitive forms that records, checkpoints and catalog entries are made of: varints
/// (LEB128, low group first), zig-zag signed varints, fixed little-endian words, and length-prefixed strings.

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace usher {

static_assert(std::endian::native == std::endian::little,
              "the stored formats are little-endian and written as they lie");

using Bytes = std::vector<std::uint8_t>;

/// Appends to a byte vector it does not own.
class ByteWriter {
 public:
  explicit ByteWriter(Bytes& out) noexcept : out_(out) {}

  void u8(std::uint8_t value) { out_.push_back(value); }
  void varint(std::uint64_t value) {
    std::uint8_t buffer[10];
    std::size_t size = 0;
    while (value >= 0x80U) {
      buffer[size++] = static_cast<std::uint8_t>(value | 0x80U);
      value >>= 7U;
    }
    buffer[size++] = static_cast<std::uint8_t>(value);
    raw(buffer, size);
  }
  void signed_varint(std::int64_t value) {
    varint((static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63));
  }
  /// A fixed-width little-endian word.
  template <class T>
  requires std::is_unsigned_v<T>
  void fixed(T value) { raw(&value, sizeof value); }
  void text(std::string_view value) {
    varint(value.size());
    raw(value.data(), value.size());
  }
  void raw(const void* data, std::size_t size) {
    const auto* first = static_cast<const std::uint8_t*>(data);
    out_.insert(out_.end(), first, first + size);
  }

 private:
  Bytes& out_;
};

/// Reads what ByteWriter wrote from bytes it does not trust. After the first malformed or missing field `ok()` is
/// false and every read yields zero or an empty view; callers check once at the end.
class ByteReader {
 public:
  ByteReader(const std::uint8_t* data, std::size_t size) noexcept : at_(data), end_(data + size) {}
  explicit ByteReader(std::string_view bytes) noexcept
      : ByteReader(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()) {}
  explicit ByteReader(const Bytes& bytes) noexcept : ByteReader(bytes.data(), bytes.size()) {}

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  /// True when everything was read and nothing was malformed.
  [[nodiscard]] bool complete() const noexcept { return ok_ && at_ == end_; }
  [[nodiscard]] std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }
  [[nodiscard]] const std::uint8_t* at() const noexcept { return at_; }
  void fail() noexcept {
    ok_ = false;
    at_ = end_;
  }

  [[nodiscard]] std::uint8_t u8() noexcept {
    if (at_ == end_) return fail(), std::uint8_t{0};
    return *at_++;
  }
  /// Refuses more than 64 bits; over-long encodings of small values are accepted.
  [[nodiscard]] std::uint64_t varint() noexcept {
    if (at_ != end_ && *at_ < 0x80U) return *at_++;
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) return fail(), 0U;
      const std::uint8_t byte = *at_++;
      if (shift == 63 && byte > 1) return fail(), 0U;
      value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if ((byte & 0x80U) == 0) return value;
    }
    return fail(), 0U;
  }
  /// A varint that must not exceed `max`.
  [[nodiscard]] std::uint64_t varint_max(std::uint64_t max) noexcept {
    const std::uint64_t value = varint();
    if (value > max) return fail(), 0U;
    return value;
  }
  [[nodiscard]] std::int64_t signed_varint() noexcept {
    const std::uint64_t value = varint();
    return static_cast<std::int64_t>((value >> 1U) ^ (~(value & 1U) + 1U));
  }
  template <class T>
  requires std::is_unsigned_v<T>
  [[nodiscard]] T fixed() noexcept {
    T value{};
    if (left() < sizeof value) return fail(), value;
    std::memcpy(&value, at_, sizeof value);
    at_ += sizeof value;
    return value;
  }
  /// The view points into the bytes being read.
  [[nodiscard]] std::string_view text(std::size_t size_max) noexcept {
    const std::uint64_t size = varint_max(size_max);
    return raw(static_cast<std::size_t>(size));
  }
  [[nodiscard]] std::string_view raw(std::size_t size) noexcept {
    if (left() < size) return fail(), std::string_view{};
    const std::string_view view{reinterpret_cast<const char*>(at_), size};
    at_ += size;
    return view;
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  bool ok_ = true;
};

}  // namespace usher
