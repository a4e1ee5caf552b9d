#pragma once
/// What is yet to be sent on one connection: bytes, and between them shares of prebuilt bodies that are sent from where
/// they lie. Sends without blocking; knows nothing of HTTP. Owned by its Connection.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/json/text_buffer.hpp"

struct iovec;

namespace usher::server::http {

class Output {
 public:
  enum class Flush : std::uint8_t { done, would_block, failed };

  /// Where bytes are appended.
  [[nodiscard]] json::TextBuffer& bytes() noexcept { return bytes_; }
  /// Appends a shared body behind the bytes that are there now.
  void append_shared(std::shared_ptr<const std::string> text);

  /// Unsent bytes, shared ones included.
  [[nodiscard]] std::size_t size() const noexcept { return bytes_.size() + shared_bytes_ - sent_; }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] std::uint64_t sent_total() const noexcept { return sent_total_; }

  /// Are there bodies that lie elsewhere? If not, unsent() is all.
  [[nodiscard]] bool shares() const noexcept { return !shared_.empty(); }
  [[nodiscard]] std::string_view unsent() const noexcept { return bytes_.view().substr(sent_); }
  static constexpr std::size_t parts_max = 32;
  /// The unsent stretches in their order, as many as fit into `parts_max`. Returns: how many.
  std::size_t gather(iovec* parts) const noexcept;
  /// The first `size` unsent bytes have been sent by other means.
  Flush sent(std::size_t size) noexcept;

  /// Sends what the socket takes now.
  Flush flush(int fd);
  /// Forgets everything. The memory stays: see take_buffer().
  void clear() noexcept;
  /// With nothing to send, the buffer goes back to a pool: idle connections hold none.
  [[nodiscard]] json::TextBuffer take_buffer() noexcept { return std::move(bytes_); }
  void give_buffer(json::TextBuffer buffer) noexcept { bytes_ = std::move(buffer); }

 private:
  struct Shared {
    std::size_t at;  // in bytes_: the text goes in front of the byte with this index
    std::shared_ptr<const std::string> text;
  };
  static constexpr std::size_t compact_bytes_min = 64U * 1024U;

  Flush send_once(int fd, std::size_t& sent);

  json::TextBuffer bytes_;
  std::vector<Shared> shared_;
  std::size_t shared_bytes_ = 0;
  std::size_t sent_ = 0;  // of bytes_ and shared_ together
  std::uint64_t sent_total_ = 0;
};

}  // namespace usher::server::http
