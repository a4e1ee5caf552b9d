#include "server/http/chunked.hpp"

#include <algorithm>

#include "server/http/chars.hpp"

namespace usher::server::http {

ChunkedDecoder::Progress ChunkedDecoder::decode(std::string_view input) {
  Progress progress;
  while (progress.used < input.size() && state_ != State::done) {
    if (state_ == State::data) {
      const std::size_t size = std::min<std::size_t>(input.size() - progress.used, chunk_left_);
      body_.append(input.substr(progress.used, size));
      progress.used += size;
      chunk_left_ -= size;
      if (chunk_left_ == 0) state_ = State::data_cr;
      continue;
    }
    progress.error = step(input[progress.used++]);
    if (progress.error == ParseError::none) continue;
    progress.status = ParseStatus::error;
    return progress;
  }
  // A body of no bytes still gets a buffer, since readers look at the padding behind it.
  if (state_ == State::done) {
    static_cast<void>(body_.prepare(1));
    progress.status = ParseStatus::complete;
  }
  return progress;
}

ParseError ChunkedDecoder::step(char c) {
  switch (state_) {
    case State::size_first:
      if (!chars::is(c, chars::hex)) return ParseError::bad_chunk;
      state_ = State::size;
      [[fallthrough]];
    case State::size:
      return size_digit(c);
    case State::extension:
      return extension_byte(c);
    case State::size_lf:
      return expect(c, '\n', chunk_left_ == 0 ? State::trailer_line : State::data);
    case State::data_cr:
      return expect(c, '\r', State::data_lf);
    case State::data_lf:
      return expect(c, '\n', State::size_first);
    case State::trailer_line:
    case State::trailer_text:
      return trailer_byte(c);
    case State::trailer_lf:
      return expect(c, '\n', State::trailer_line);
    case State::end_lf:
      return expect(c, '\n', State::done);
    case State::data:
    case State::done:
      break;
  }
  return ParseError::bad_chunk;
}

ParseError ChunkedDecoder::expect(char c, char wanted, State next) {
  if (c != wanted) return ParseError::bad_chunk;
  state_ = next;
  return ParseError::none;
}

ParseError ChunkedDecoder::size_digit(char c) {
  if (chars::is(c, chars::hex)) {
    chunk_left_ = chunk_left_ * 16 + chars::hex_value(c);
    // Also keeps the size from running over: body_bytes_max_ is far below 2^60.
    return chunk_left_ > body_bytes_max_ - body_.size() ? ParseError::body_too_large : ParseError::none;
  }
  if (c != '\r' && c != ';') return ParseError::bad_chunk;
  state_ = c == '\r' ? State::size_lf : State::extension;
  return ParseError::none;
}

ParseError ChunkedDecoder::extension_byte(char c) {
  if (c == '\r') {
    state_ = State::size_lf;
    return ParseError::none;
  }
  if (find_control(&c, &c + 1) == &c) return ParseError::bad_chunk;
  return ++extension_bytes_ > extension_bytes_max ? ParseError::chunk_extension_too_long : ParseError::none;
}

ParseError ChunkedDecoder::trailer_byte(char c) {
  if (c == '\r') {
    state_ = state_ == State::trailer_line ? State::end_lf : State::trailer_lf;
    return ParseError::none;
  }
  if (find_control(&c, &c + 1) == &c) return ParseError::bad_chunk;
  if (state_ == State::trailer_line && !chars::is(c, chars::token)) return ParseError::bad_chunk;
  state_ = State::trailer_text;
  return ++trailer_bytes_ > trailer_bytes_max ? ParseError::trailer_too_large : ParseError::none;
}

}  // namespace usher::server::http
