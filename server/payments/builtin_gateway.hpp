#pragma once
/// A payment gateway that moves no money: for trying, for tests, and for shops that take cash at the door. It knows
/// Stripe's test cards, takes as long as it is told to, and keeps a truthful ledger of what it has "charged".
///
/// Operation: calls queue an operation with the time at which it falls due. One thread of its own takes all that are
/// due, decides them, syncs the ledger once for all of them, and only then answers. So no key is charged twice, also
/// not after a kill -9: retrieve() and create() answer from the ledger. Concurrency: thread-safe. Callbacks come by the
/// executor, or on the gateway's thread where none was given. Limitations: `in_flight_max` operations at once; beyond
/// that a payment is declined (`gateway_refused`, nothing was charged) and a refund is `unknown`. Ledger::entries_max
/// charges and refunds in all.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

#include "server/payments/gateway.hpp"
#include "server/payments/ledger.hpp"
#include "usher/time.hpp"

namespace usher::server::payments {

struct BuiltinGatewayOptions {
  Duration latency{0};      ///< of a payment or refund; retrieve() takes none
  double decline_rate = 0;  ///< 0 to 1: share of keys whose good card is declined all the same
  double unknown_rate = 0;  ///< 0 to 1: share of keys whose first answer is lost after the decision
  std::size_t in_flight_max = 20'000;
};

class BuiltinGateway final : public PaymentGateway {
 public:
  struct Counters {
    std::uint64_t captured = 0;
    std::uint64_t declined = 0;
    std::uint64_t answers_lost = 0;  ///< by unknown_rate
    std::uint64_t repeated = 0;      ///< keys seen before, answered from the ledger
    std::uint64_t refunds = 0;
    std::uint64_t refused_busy = 0;
    std::uint64_t ledger_failures = 0;
    std::size_t in_flight = 0;
  };

  BuiltinGateway(const BuiltinGatewayOptions& options, Ledger ledger, Executor executor = {});
  BuiltinGateway(const BuiltinGateway&) = delete;
  BuiltinGateway& operator=(const BuiltinGateway&) = delete;
  ~BuiltinGateway() override;

  void create(PaymentRequest request, PaymentCallback callback) override;
  void retrieve(std::string idempotency_key, PaymentCallback callback) override;
  void refund(RefundRequest request, RefundCallback callback) override;

  /// Ends the thread. What was not due yet is dropped: nothing was charged for it, and its callback is never called.
  void stop();
  [[nodiscard]] Counters counters() const;

 private:
  using Due = std::chrono::steady_clock::time_point;
  struct Payment {
    PaymentRequest request;
    PaymentCallback callback;
  };
  struct Retrieval {
    std::string key;
    PaymentCallback callback;
  };
  struct Refunding {
    RefundRequest request;
    RefundCallback callback;
  };
  using Operation = std::variant<Payment, Retrieval, Refunding>;
  using Outcome = std::variant<PaymentResult, RefundResult>;

  /// Returns: false when the gateway is full or stopped; the operation is then untouched.
  [[nodiscard]] bool enqueue(Operation& operation, Duration latency);
  void run();
  /// Takes all operations that are due; waits for the first. Empty: the gateway stops.
  [[nodiscard]] std::vector<Operation> take_due();
  void decide_and_answer(std::vector<Operation> operations);

  /// Forgets that the operations are under way.
  void release(const std::vector<Operation>& operations);
  [[nodiscard]] Outcome decide(const Operation& operation);
  [[nodiscard]] PaymentResult decide(const PaymentRequest& request);
  [[nodiscard]] PaymentResult decide_new(const PaymentRequest& request, std::string digest);
  [[nodiscard]] PaymentResult look_up(const std::string& key);
  [[nodiscard]] RefundResult decide(const RefundRequest& request);
  [[nodiscard]] bool under_way(const std::string& key) const;
  void answer(std::function<void()> call);
  static void count(std::atomic<std::uint64_t>& counter) noexcept { counter.fetch_add(1, std::memory_order_relaxed); }

  const BuiltinGatewayOptions options_;
  const Executor executor_;
  Ledger ledger_;  ///< for the gateway's thread only

  std::atomic<std::uint64_t> captured_{0};
  std::atomic<std::uint64_t> declined_{0};
  std::atomic<std::uint64_t> answers_lost_{0};
  std::atomic<std::uint64_t> repeated_{0};
  std::atomic<std::uint64_t> refunds_{0};
  std::atomic<std::uint64_t> refused_busy_{0};
  std::atomic<std::uint64_t> ledger_failures_{0};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Due, Operation> queue_;  ///< equal times keep their order
  std::unordered_map<std::string, std::uint32_t> keys_under_way_;
  std::size_t in_flight_ = 0;  ///< queued, or taken and not yet answered
  bool stopped_ = false;
  std::jthread thread_;
};

}  // namespace usher::server::payments
