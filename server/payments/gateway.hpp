#pragma once
/// The seam to whoever moves the money. The engine never sees it: the server starts a payment when its `paying` record
/// is durable, and what the gateway answers becomes a command (DESIGN 5). Asynchronous: no call here waits for
/// anything.

#include <cstdint>
#include <functional>
#include <string>

#include "usher/money.hpp"
#include "usher/refusal.hpp"

namespace usher::server::payments {

/// Travels with a payment and comes back with every answer about it, so that a result which arrives on any loop, or
/// after a restart, finds its reservation.
struct PaymentMetadata {
  std::string reservation_id;
  std::uint32_t attempt = 0;
  bool operator==(const PaymentMetadata&) const = default;
};

/// The key is made of reservation id and attempt: a retry repeats it, a second card does not.
struct PaymentRequest {
  std::string idempotency_key;  ///< 1 to 255 visible ASCII characters
  Money amount;
  std::string token;  ///< the payment method, such as "pm_card_visa"; never stored, never logged
  PaymentMetadata metadata;
};

enum class PaymentStatus : std::uint8_t {
  captured,         ///< the money is ours: `payment_id`
  declined,         ///< nothing was charged: `decline`, `message`
  unknown,          ///< whether something was charged is not known now: retrieve later
  requires_action,  ///< the cardholder must do something first: `next_action`
};

struct PaymentResult {
  PaymentStatus status = PaymentStatus::unknown;
  PaymentDecline decline{};  ///< with `declined`
  std::string payment_id;    ///< with `captured`; at most limits::payment_ref_bytes_max bytes
  std::string message;       ///< for people
  std::string next_action;   ///< with `requires_action`: where to send the cardholder
  PaymentMetadata metadata;  ///< of the payment; empty where the gateway knows of none
};

struct RefundRequest {
  std::string idempotency_key;  ///< as above; shares no key with a payment
  std::string payment_id;
  std::int64_t amount = 0;  ///< minor units of the payment's currency, more than 0
};

enum class RefundStatus : std::uint8_t {
  settled,  ///< `refund_id`
  failed,   ///< nothing was refunded, and asking again will not help: an operator must look
  unknown,  ///< ask again with the same key
};

struct RefundResult {
  RefundStatus status = RefundStatus::unknown;
  std::string refund_id;
  std::string message;
};

using PaymentCallback = std::function<void(const PaymentResult&)>;
using RefundCallback = std::function<void(const RefundResult&)>;

/// Runs a callback where it belongs. Called from a thread of the gateway's; must not block.
using Executor = std::function<void(std::function<void()>)>;

/// Thread-safe. Every accepted call is answered exactly once, never from inside the call itself, unless the gateway is
/// stopped first: then the callback is dropped unheard and the outcome is for retrieve() to tell after the restart.
class PaymentGateway {
 public:
  virtual ~PaymentGateway() = default;

  /// Charges. The same key with the same request charges once and answers the same; with another request it is declined
  /// with `gateway_refused`.
  virtual void create(PaymentRequest request, PaymentCallback callback) = 0;

  /// Tells what became of a key, without ever charging: `captured`, `declined` (with `not_attempted` where the gateway
  /// has no such key), or `unknown` while it is under way or cannot be told.
  virtual void retrieve(std::string idempotency_key, PaymentCallback callback) = 0;

  /// Gives back all or part of a payment, once per key.
  virtual void refund(RefundRequest request, RefundCallback callback) = 0;
};

}  // namespace usher::server::payments
