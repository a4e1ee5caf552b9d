#pragma once
/// The parser of a request's head: Beast's, with our framing guard in its callbacks. One object per head, on the stack,
/// over one flat buffer; it keeps views into that buffer and nothing else. It never allocates.
///
/// Beast 1.81 reads the bytes; each line that it accepts is judged again where RFC 9112 is stricter than it. What Beast
/// refuses is looked at a second time, line by line, only to say what is wrong: requests that are good pay nothing for
/// that.

#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <string_view>

#include "server/http/head.hpp"

namespace usher::server::http {

class HeadParser final : public boost::beast::http::basic_parser<true> {
 public:
  HeadParser(std::string_view input, const HeadLimits& limits, RequestHead& head) noexcept;
  [[nodiscard]] HeadResult run() noexcept;

 private:
  using Text = boost::beast::string_view;
  using BeastError = boost::beast::error_code;
  using Field = boost::beast::http::field;

  // What Beast calls. Of a body it sees nothing.
  void on_request_impl(boost::beast::http::verb verb, Text method, Text target, int version, BeastError& ec) override;
  void on_response_impl(int /*code*/, Text /*reason*/, int /*version*/, BeastError& /*ec*/) override {}
  void on_field_impl(Field field, Text name, Text value, BeastError& ec) override;
  void on_header_impl(BeastError& ec) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/, BeastError& /*ec*/) override {}
  std::size_t on_body_impl(Text /*body*/, BeastError& /*ec*/) override { return 0; }
  void on_chunk_header_impl(std::uint64_t /*size*/, Text /*extensions*/, BeastError& /*ec*/) override {}
  std::size_t on_chunk_body_impl(std::uint64_t /*left*/, Text /*body*/, BeastError& /*ec*/) override { return 0; }
  void on_finish_impl(BeastError& /*ec*/) override {}

  [[nodiscard]] std::size_t line_bytes_max() const noexcept;
  // Every check leaves what it found in error_: none means that all is well so far.
  void fail(ParseError error) noexcept {
    if (error_ == ParseError::none) error_ = error;
  }
  void stop(BeastError& ec) const noexcept;
  void take_target(std::string_view text) noexcept;
  void keep(Field field, std::string_view name, std::string_view value) noexcept;
  void keep_rest(Field field, std::string_view name, std::string_view value) noexcept;
  void keep_unnamed(std::string_view name, std::string_view value) noexcept;
  void once(std::string_view& member, std::string_view value, ParseError error = ParseError::duplicate_field) noexcept {
    if (member.data() != nullptr) return fail(error);
    member = value;
  }
  static void first(std::string_view& member, std::string_view value) noexcept {
    if (member.data() == nullptr) member = value;
  }
  void connection_tokens(std::string_view value) noexcept;
  void framing() noexcept;
  void body_framing() noexcept;
  void content_length() noexcept;

  // Why Beast refused, or why it has to wait: the line that it stopped at, read by the letter.
  [[nodiscard]] HeadResult explain(bool refused, std::size_t line) noexcept;
  enum class Line : std::uint8_t { whole, cut };
  [[nodiscard]] Line explain_request_line(std::string_view text) noexcept;
  [[nodiscard]] Line explain_field(std::string_view text) noexcept;
  [[nodiscard]] Line line_end(std::string_view text, std::size_t control, ParseError error) noexcept;
  void explain_version(std::string_view text) noexcept;

  const std::string_view input_;
  const HeadLimits& limits_;
  RequestHead& head_;
  ParseError error_ = ParseError::none;
  std::size_t field_count_ = 0;
  std::string_view content_length_;
  std::string_view transfer_encoding_;
  std::string_view expect_;
  std::string_view authority_;  // of a target in absolute form: it replaces Host (RFC 9112 section 3.2.2)
  bool close_ = false;
  bool keep_alive_ = false;
};

}  // namespace usher::server::http
