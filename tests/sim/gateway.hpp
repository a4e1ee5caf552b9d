#pragma once
/// The simulated payment gateway: it keeps its books through every crash of the program, answers late, twice, or with
/// nothing of use, and declines. It keeps the contract of PaymentGateway: a charge that is under way is `unknown`, and
/// one that it does not know of will never happen. For one thread.

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "server/payments/gateway.hpp"
#include "tests/sim/knobs.hpp"
#include "tests/sim/model.hpp"
#include "tests/sim/random.hpp"

namespace usher::sim {

class Gateway final : public server::payments::PaymentGateway, public GatewayTruth {
 public:
  Gateway(const Knobs& knobs, Counters& counters) : knobs_(knobs), counters_(counters), random_(knobs.seed, 3) {}

  // For the program.
  void create(server::payments::PaymentRequest request, server::payments::PaymentCallback callback) override;
  void retrieve(std::string key, server::payments::PaymentCallback callback) override;
  void refund(server::payments::RefundRequest request, server::payments::RefundCallback callback) override;

  // For the model.
  [[nodiscard]] std::string charge_of(const Id& reservation, std::uint32_t attempt) const override;
  [[nodiscard]] std::int64_t charged(const std::string& payment) const override;
  [[nodiscard]] bool refund_is(const Id& reservation, std::uint32_t number, bool settled) const override;

  // For the simulation.
  /// Does what is due at `now_ms`.
  void advance(std::int64_t now_ms);
  /// When the next thing is due, or -1.
  [[nodiscard]] std::int64_t next_due() const noexcept { return due_.empty() ? -1 : due_.begin()->first; }
  /// The process that asked is gone: nobody hears the answers any more.
  void forget_callers() { ++life_; }
  void be_good() { good_ = true; }
  /// Called with every charge that is asked for, before anything else.
  std::function<void(const server::payments::PaymentRequest&)> on_create;

  struct Charge {
    bool captured = false;
    PaymentDecline decline{};
    std::int64_t amount = 0;
    std::int64_t refunded = 0;
    std::string payment;
    std::string reservation;
    bool under_way = true;
  };
  [[nodiscard]] const std::map<std::string, Charge>& charges() const noexcept { return charges_; }
  /// What went wrong by the books, such as charging twice; "" when nothing did.
  [[nodiscard]] const std::string& wrong() const noexcept { return wrong_; }

 private:
  struct Repaid {
    std::int64_t amount = 0;
    bool settled = false;
    bool failed = false;
  };
  using Payment = server::payments::PaymentResult;

  void later(Duration after, std::function<void()> what);
  void answer(const server::payments::PaymentCallback& callback, std::function<Payment()> what, bool lost);
  void decide(const std::string& key, const server::payments::PaymentRequest& request);
  [[nodiscard]] Payment tell(const std::string& key) const;
  [[nodiscard]] Duration latency();
  [[nodiscard]] bool faulty(Fault fault, std::uint32_t per_mille);

  const Knobs& knobs_;
  Counters& counters_;
  Random random_;
  std::int64_t now_ms_ = 0;
  std::uint64_t life_ = 0;
  bool good_ = false;
  std::multimap<std::int64_t, std::function<void()>> due_;
  std::map<std::string, Charge> charges_;             ///< by key
  std::map<std::string, std::string> keys_;           ///< by payment id
  std::map<std::string, Repaid> repaid_;              ///< by key
  std::map<std::string, std::uint32_t> captured_of_;  ///< by reservation
  std::string wrong_;
};

}  // namespace usher::sim
