#pragma once
/// Response: finds answers in a stream of bytes and reads the few fields that a browser would act on (RFC 9112). It
/// understands Content-Length and chunked bodies, and takes what it does not know as it comes. For one thread.

#include <cstdint>
#include <string>
#include <string_view>

namespace usher::flash {

struct Response {
  int status = 0;
  std::string_view body;
  std::string_view etag;
  std::string_view set_cookie;  ///< the name=value of the first Set-Cookie
  std::uint32_t retry_after_s = 0;
  bool closes = false;        ///< the server ends the connection after this one
  bool event_stream = false;  ///< an SSE answer, or 101: what follows is no HTTP
};

class ResponseParser {
 public:
  enum class Found : std::uint8_t { whole, partial, malformed };

  /// Looks for one answer at the begin of `bytes`; the views in `response` point into it, or into this parser for a
  /// chunked body. `size`: bytes that it takes.
  [[nodiscard]] Found next(std::string_view bytes, Response& response, std::size_t& size);

 private:
  [[nodiscard]] Found chunked(std::string_view rest, Response& response, std::size_t& size);

  std::string joined_;
};

}  // namespace usher::flash
