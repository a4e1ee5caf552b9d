#pragma once
/// Finds answers in a stream of bytes: the least parsing that a correct client can do. It understands status lines,
/// Content-Length and nothing else, which is all that the servers under test send.

#include <cstddef>
#include <cstring>
#include <string_view>

namespace usher::bench {

struct Answer {
  int status = 0;
  std::size_t size = 0;  ///< of head and body; 0 = not complete yet, or malformed
  std::string_view body;
};

/// Remembers where the length stood in the last head, since heads of one server look alike. One per thread.
class AnswerScanner {
 public:
  /// Returns: the first answer in `bytes`; size 0 when it is not complete. Sets failed() when it is no HTTP.
  [[nodiscard]] Answer next(std::string_view bytes) noexcept {
    if (bytes.size() < 16) return {};
    if (std::memcmp(bytes.data(), "HTTP/1.", 7) != 0) return fail();
    Answer answer;
    answer.status = (bytes[9] - '0') * 100 + (bytes[10] - '0') * 10 + (bytes[11] - '0');
    const std::size_t head_end = bytes.find("\r\n\r\n");
    if (head_end == std::string_view::npos) return {};
    const std::size_t body = body_size(bytes.substr(0, head_end + 2));
    if (failed_ || bytes.size() < head_end + 4 + body) return {};
    answer.body = bytes.substr(head_end + 4, body);
    answer.size = head_end + 4 + body;
    return answer;
  }
  [[nodiscard]] bool failed() const noexcept { return failed_; }

 private:
  static constexpr std::string_view name = "ontent-Length: ";

  std::size_t body_size(std::string_view head) noexcept {
    if (length_at_ + name.size() > head.size() || head.substr(length_at_, name.size()) != name) {
      length_at_ = find_length(head);
    }
    if (length_at_ == std::string_view::npos) return length_at_ = 0, std::size_t{0};  // 204: no length, no body
    std::size_t value = 0;
    for (std::size_t i = length_at_ + name.size(); i < head.size() && head[i] >= '0' && head[i] <= '9'; ++i) {
      value = value * 10 + static_cast<std::size_t>(head[i] - '0');
    }
    return value;
  }
  static std::size_t find_length(std::string_view head) noexcept {
    const std::size_t at = head.find(name);
    return at == std::string_view::npos ? head.find("ontent-length: ") : at;
  }
  Answer fail() noexcept {
    failed_ = true;
    return {};
  }

  std::size_t length_at_ = 0;
  bool failed_ = false;
};

/// Finds the text value of one member in flat JSON. It remembers where the name stood in the last body, since bodies of
/// one kind look alike. One per thread and name.
class TextMember {
 public:
  /// `name` as it stands in the body, quotes and colon included. Requires: it outlives this.
  explicit constexpr TextMember(std::string_view name) noexcept : name_(name) {}

  /// Returns: the value, or nothing when the member is not there.
  [[nodiscard]] std::string_view find(std::string_view body) noexcept {
    if (body.size() < at_ + name_.size() || std::memcmp(body.data() + at_, name_.data(), name_.size()) != 0) {
      const void* found = ::memmem(body.data(), body.size(), name_.data(), name_.size());
      if (found == nullptr) return {};
      at_ = static_cast<std::size_t>(static_cast<const char*>(found) - body.data());
    }
    const std::size_t begin = body.find('"', at_ + name_.size());
    if (begin == std::string_view::npos) return {};
    const std::size_t end = body.find('"', begin + 1);
    return end == std::string_view::npos ? std::string_view{} : body.substr(begin + 1, end - begin - 1);
  }

 private:
  std::string_view name_;
  std::size_t at_ = 0;
};

/// Whether some text stands in a line; remembers where it stood in the last. One per thread and text.
class Mark {
 public:
  explicit constexpr Mark(std::string_view text) noexcept : text_(text) {}
  [[nodiscard]] bool in(std::string_view line) noexcept {
    if (line.size() >= at_ + text_.size() && std::memcmp(line.data() + at_, text_.data(), text_.size()) == 0)
      return true;
    const void* found = ::memmem(line.data(), line.size(), text_.data(), text_.size());
    if (found == nullptr) return false;
    at_ = static_cast<std::size_t>(static_cast<const char*>(found) - line.data());
    return true;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace usher::bench
