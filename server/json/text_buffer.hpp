#pragma once
/// A growing byte buffer for output that is written once and sent: what std::string would be if it did not clear the
/// bytes it is about to overwrite. Owned by one object, for one thread. It never shrinks but by release_above().
///
/// Behind its capacity lie `padding_bytes` more that may be read: what a SIMD parser reads past the end of a text.

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace usher::server::json {

/// Bytes that must be readable behind every text that is given to the Reader (simdjson asks for 32).
inline constexpr std::size_t padding_bytes = 64;

class TextBuffer {
 public:
  TextBuffer() = default;
  TextBuffer(TextBuffer&& other) noexcept
      : bytes_(std::move(other.bytes_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  TextBuffer& operator=(TextBuffer&& other) noexcept {
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }

  [[nodiscard]] const char* data() const noexcept { return bytes_.get(); }
  [[nodiscard]] char* data() noexcept { return bytes_.get(); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.get(), size_}; }
  [[nodiscard]] char back() const noexcept { return bytes_[size_ - 1]; }

  void clear() noexcept { size_ = 0; }
  /// Requires: `size` is at most size().
  void truncate(std::size_t size) noexcept { size_ = size; }
  /// Gives the memory back when it is more than `capacity`; the content is lost then.
  void release_above(std::size_t capacity) noexcept {
    if (capacity_ <= capacity) return;
    bytes_.reset();
    capacity_ = 0;
    size_ = 0;
  }

  /// Returns: where `count` bytes may be written; commit() makes them part of the text.
  [[nodiscard]] char* prepare(std::size_t count) {
    if (capacity_ - size_ < count) grow(count);
    return bytes_.get() + size_;
  }
  /// Requires: at most as many as the last prepare() asked for.
  void commit(std::size_t count) noexcept { size_ += count; }

  void append(std::string_view text) {
    if (text.empty()) return;
    std::memcpy(prepare(text.size()), text.data(), text.size());
    size_ += text.size();
  }
  void push(char c) {
    *prepare(1) = c;
    ++size_;
  }
  /// Removes the first `count` bytes by moving the rest down.
  void erase_front(std::size_t count) noexcept {
    if (count == 0) return;
    std::memmove(bytes_.get(), bytes_.get() + count, size_ - count);
    size_ -= count;
  }

 private:
  void grow(std::size_t count) {
    std::size_t capacity = capacity_ == 0 ? 512 : capacity_ * 2;
    while (capacity < size_ + count) capacity *= 2;
    std::unique_ptr<char[]> bytes(new char[capacity + padding_bytes]);
    std::memset(bytes.get() + capacity, 0, padding_bytes);
    if (size_ != 0) std::memcpy(bytes.get(), bytes_.get(), size_);
    bytes_ = std::move(bytes);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace usher::server::json
