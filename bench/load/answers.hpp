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

/// Returns: the text value of "name":"value" in a flat JSON body, or nothing.
[[nodiscard]] inline std::string_view text_member(std::string_view body, std::string_view quoted_name) noexcept {
  std::size_t at = body.find(quoted_name);
  if (at == std::string_view::npos) return {};
  at = body.find('"', at + quoted_name.size());
  if (at == std::string_view::npos) return {};
  const std::size_t end = body.find('"', at + 1);
  return end == std::string_view::npos ? std::string_view{} : body.substr(at + 1, end - at - 1);
}

}  // namespace usher::bench
