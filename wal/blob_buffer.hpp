#pragma once
/// Growing bytes without zero-filling, for one blob. For one thread. Keeps its capacity when cleared.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace usher::wal {

class BlobBuffer {
 public:
  BlobBuffer() = default;
  BlobBuffer(BlobBuffer&& other) noexcept
      : bytes_(std::move(other.bytes_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  BlobBuffer& operator=(BlobBuffer&& other) noexcept {
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }

  /// Returns: where the next bytes go; at least `more` fit. Call advance() with what was written.
  [[nodiscard]] std::uint8_t* reserve(std::size_t more) {
    if (capacity_ - size_ < more) grow(size_ + more);
    return bytes_.get() + size_;
  }
  void advance(std::size_t size) noexcept { size_ += size; }
  void shrink_to(std::size_t size) noexcept { size_ = size; }
  void clear() noexcept { size_ = 0; }
  void append(const void* data, std::size_t size) {
    std::memcpy(reserve(size), data, size);
    advance(size);
  }

  [[nodiscard]] std::uint8_t* data() noexcept { return bytes_.get(); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] std::string_view view() const noexcept { return {reinterpret_cast<const char*>(bytes_.get()), size_}; }

 private:
  void grow(std::size_t needed) {
    const std::size_t capacity = std::max<std::size_t>({needed, capacity_ * 2, 4096});
    auto bytes = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
    if (size_ != 0) std::memcpy(bytes.get(), bytes_.get(), size_);
    bytes_ = std::move(bytes);
    capacity_ = capacity;
  }

  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace usher::wal
