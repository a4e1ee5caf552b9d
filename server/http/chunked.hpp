#pragma once
/// Takes the chunks off a body (RFC 9112 section 7.1), strictly and on bounded memory: extensions are skipped and
/// counted, the trailer section is checked for controls, bounded and thrown away. Owned by one connection.

#include <cstdint>
#include <string_view>

#include "server/http/head.hpp"
#include "server/json/text_buffer.hpp"

namespace usher::server::http {

class ChunkedDecoder {
 public:
  /// Extensions of one body, all together.
  static constexpr std::size_t extension_bytes_max = 4'096;
  static constexpr std::size_t trailer_bytes_max = 4'096;

  explicit ChunkedDecoder(std::size_t body_bytes_max) noexcept : body_bytes_max_(body_bytes_max) {}

  struct Progress {
    ParseStatus status = ParseStatus::need_more;
    ParseError error = ParseError::none;
    std::size_t used = 0;  ///< bytes of the input taken; when complete, the next request begins behind them
  };
  /// Appends what `input` holds of the body to body().
  Progress decode(std::string_view input);

  [[nodiscard]] std::string_view body() const noexcept { return body_.view(); }

 private:
  enum class State : std::uint8_t {
    size_first,  // the first digit of a chunk's size
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_line,  // at the start of a line
    trailer_text,
    trailer_lf,
    end_lf,
    done
  };

  ParseError step(char c);
  ParseError size_digit(char c);
  ParseError extension_byte(char c);
  ParseError trailer_byte(char c);
  ParseError expect(char c, char wanted, State next);

  std::size_t body_bytes_max_;
  State state_ = State::size_first;
  std::uint64_t chunk_left_ = 0;
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  json::TextBuffer body_;
};

}  // namespace usher::server::http
