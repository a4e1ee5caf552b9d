#include "tests/sim/gateway.hpp"

#include <utility>

namespace usher::sim {

using server::payments::PaymentCallback;
using server::payments::PaymentRequest;
using server::payments::PaymentStatus;
using server::payments::RefundCallback;
using server::payments::RefundRequest;
using server::payments::RefundResult;
using server::payments::RefundStatus;

bool Gateway::faulty(Fault fault, std::uint32_t per_mille) {
  if (good_ || !knobs_.has(fault) || !random_.chance(per_mille)) return false;
  counters_.hit(fault);
  return true;
}

Duration Gateway::latency() {
  if (faulty(Fault::answer_late, 200)) return Duration{random_.between(1'000, 200'000)};
  return Duration{random_.between(0, 300)};
}

void Gateway::later(Duration after, std::function<void()> what) {
  due_.emplace(now_ms_ + after.count(), std::move(what));
}

void Gateway::advance(std::int64_t now_ms) {
  now_ms_ = now_ms;
  while (!due_.empty() && due_.begin()->first <= now_ms) {
    const auto what = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    what();
  }
}

// ---- charges ----

void Gateway::create(PaymentRequest request, PaymentCallback callback) {
  if (on_create) on_create(request);
  const std::string key = request.idempotency_key;
  const bool known = charges_.find(key) != charges_.end();
  if (!known && faulty(Fault::charge_lost, 150)) {  // it never gets there, and never will
    answer(
        callback, [] { return Payment{}; }, true);
    return;
  }
  if (!known) {
    Charge& charge = charges_[key];
    charge.amount = request.amount.amount;
    charge.reservation = request.metadata.reservation_id;
    later(latency(), [this, key, request] { decide(key, request); });
  }
  const bool lost = faulty(Fault::answer_lost, 150);
  answer(
      callback, [this, key] { return tell(key); }, lost);
  if (faulty(Fault::answer_twice, 150))
    answer(
        callback, [this, key] { return tell(key); }, false);
}

void Gateway::retrieve(std::string key, PaymentCallback callback) {
  const bool lost = faulty(Fault::answer_lost, 150);
  answer(
      callback, [this, key = std::move(key)] { return tell(key); }, lost);
}

void Gateway::answer(const PaymentCallback& callback, std::function<Payment()> what, bool lost) {
  later(latency() + Duration{300}, [this, callback, what = std::move(what), lost, life = life_] {
    if (life == life_) callback(lost ? Payment{} : what());
  });
}

void Gateway::decide(const std::string& key, const PaymentRequest& request) {
  Charge& charge = charges_[key];
  charge.under_way = false;
  if (random_.chance(knobs_.decline_per_mille) && !good_) {
    charge.decline = static_cast<PaymentDecline>(random_.below(4));
    return;
  }
  charge.captured = true;
  charge.payment = "pi_" + std::to_string(keys_.size() + 1);
  keys_[charge.payment] = key;
  if (++captured_of_[request.metadata.reservation_id] > 1) wrong_ = "charged twice: " + key;
}

Gateway::Payment Gateway::tell(const std::string& key) const {
  Payment result;
  const auto found = charges_.find(key);
  if (found == charges_.end()) {
    result.status = PaymentStatus::declined;
    result.decline = PaymentDecline::not_attempted;
  } else if (!found->second.under_way) {
    result.status = found->second.captured ? PaymentStatus::captured : PaymentStatus::declined;
    result.decline = found->second.decline;
    result.payment_id = found->second.payment;
  }
  return result;
}

// ---- refunds ----

void Gateway::refund(RefundRequest request, RefundCallback callback) {
  later(latency(), [this, request, callback, life = life_] {
    RefundResult result;
    Repaid& repaid = repaid_[request.idempotency_key];
    const auto payment = keys_.find(request.payment_id);
    if (payment == keys_.end()) wrong_ = "a refund of a payment that never was: " + request.idempotency_key;
    if (!repaid.settled && !repaid.failed && payment != keys_.end()) {
      repaid.amount = request.amount;
      if (faulty(Fault::refund_unknown, 150)) return life == life_ ? callback(result) : void();
      repaid.failed = knobs_.refunds_fail && random_.chance(200);
      repaid.settled = !repaid.failed;
      Charge& charge = charges_[payment->second];
      if (repaid.settled) charge.refunded += request.amount;
      if (charge.refunded > charge.amount) wrong_ = "more refunded than charged: " + request.idempotency_key;
    }
    if (repaid.amount != request.amount) wrong_ = "a refund was asked for again with another amount";
    result.status = repaid.settled ? RefundStatus::settled : RefundStatus::failed;
    if (faulty(Fault::answer_lost, 100)) result.status = RefundStatus::unknown;
    if (life == life_) callback(result);
  });
}

// ---- truth ----

std::string Gateway::charge_of(const Id& reservation, std::uint32_t attempt) const {
  const auto found = charges_.find(to_string(reservation) + "-" + std::to_string(attempt));
  return found == charges_.end() || !found->second.captured ? "" : found->second.payment;
}

std::int64_t Gateway::charged(const std::string& payment) const {
  const auto found = keys_.find(payment);
  return found == keys_.end() ? -1 : charges_.at(found->second).amount;
}

bool Gateway::refund_is(const Id& reservation, std::uint32_t number, bool settled) const {
  const auto found = repaid_.find(to_string(reservation) + "-refund-" + std::to_string(number));
  if (found == repaid_.end()) return false;
  return settled ? found->second.settled : found->second.failed;
}

}  // namespace usher::sim
