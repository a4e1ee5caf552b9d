#pragma once
/// The seam between HTTP and the application: a parsed, guarded request goes in, answers come back through Connection.
/// One Handler per loop and listener; every call comes on that loop's thread.

#include <string_view>

#include "server/http/address.hpp"
#include "server/http/head.hpp"
#include "usher/command.hpp"

namespace usher::server::http {

class Connection;

/// One complete request. All views live until on_request() returns: what is needed later must be copied.
/// Behind `body` lie json::padding_bytes more that may be read.
struct Request : RequestHead {
  std::string_view body;  ///< whole and without its chunks
  ClientAddress client;   ///< behind trusted proxies: whom they tell of; else the peer
  ReplyTo reply_to;       ///< where the answer belongs; small, copyable, may be carried across threads
};

class Handler {
 public:
  virtual ~Handler() = default;

  /// Answers now by connection.respond(request.reply_to.slot, response), or later, on this thread, by
  /// loop.respond(reply_to, response). Every request must be answered at some time, unless its connection is gone.
  virtual void on_request(const Request& request, Connection& connection) = 0;

  /// All that was readable in this cycle has been handed over; behind it, what was answered is written. The place to
  /// let the engine run once for the batch. Called only after at least one on_request().
  virtual void on_batch_end() = 0;

  /// A well-formed WebSocket handshake, before on_request() would be called. To take it over: check the rest, then
  /// connection.detach(), and return true. False (the default) hands it to on_request() as the plain GET it also is.
  virtual bool on_upgrade(const Request& request, Connection& connection);

  /// An exception came out of one of the above; the request was answered with 500. For the log line.
  virtual void on_exception(const char* what) noexcept = 0;
};

}  // namespace usher::server::http
