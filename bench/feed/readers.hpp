#pragma once
/// Readers: many WebSocket readers of one show's live feed on one epoll, which keep of each message only that and when
/// it came. Pings are answered. For one thread.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace usher::bench {

[[nodiscard]] std::int64_t monotonic_ns() noexcept;

/// Connects to 127.0.0.1:`port` from 127.0.0.`source`. Exits with code 1 when that is refused.
[[nodiscard]] int connect_to(std::uint16_t port, unsigned source);

class Readers {
 public:
  Readers(std::uint16_t port, std::string path) : port_(port), path_(std::move(path)) {}
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;
  ~Readers();

  /// Opens so many and waits until each has had its first message. Returns: false when that took over a minute.
  [[nodiscard]] bool open(std::size_t count);
  /// Reads until each reader that is left has had so many messages. Returns: false when that took over `timeout_ns`.
  [[nodiscard]] bool read_until(std::uint32_t messages, std::int64_t timeout_ns);
  /// Reads for so long, whatever comes.
  void read_for(std::int64_t ns);

  [[nodiscard]] std::size_t size() const noexcept { return readers_.size(); }
  [[nodiscard]] std::size_t lost() const noexcept { return lost_; }
  [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }
  [[nodiscard]] std::uint64_t message_bytes() const noexcept { return message_bytes_; }
  /// When the first and the last reader had the message that read_until() waited for.
  [[nodiscard]] std::int64_t first_ns() const noexcept { return first_ns_; }
  [[nodiscard]] std::int64_t last_ns() const noexcept { return last_ns_; }

 private:
  enum class Phase : std::uint8_t { answer, head, payload };
  struct Reader {
    int fd = -1;
    Phase phase = Phase::answer;
    std::uint8_t matched = 0;    ///< of the blank line behind the answer
    std::uint8_t head_size = 0;  ///< of the frame's head, so far
    std::array<unsigned char, 10> head{};
    std::uint64_t left = 0;  ///< of the payload
    std::uint32_t messages = 0;
  };

  void start(std::size_t index);
  void read_ready(int timeout_ms);
  void read(Reader& reader);
  [[nodiscard]] std::size_t take(Reader& reader, std::string_view data);
  [[nodiscard]] std::size_t take_answer(Reader& reader, std::string_view data) noexcept;
  void take_head(Reader& reader, unsigned char byte);
  void take_message(Reader& reader);
  void lose(Reader& reader);

  const std::uint16_t port_;
  const std::string path_;
  int epoll_ = -1;
  std::vector<Reader> readers_;
  std::size_t lost_ = 0;
  std::uint64_t messages_ = 0;
  std::uint64_t message_bytes_ = 0;
  std::uint32_t wanted_ = 0;  // messages of each
  std::size_t waited_for_ = 0;
  std::int64_t now_ns_ = 0;
  std::int64_t first_ns_ = 0;
  std::int64_t last_ns_ = 0;
};

}  // namespace usher::bench
