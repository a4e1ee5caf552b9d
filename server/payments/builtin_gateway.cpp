#include "server/payments/builtin_gateway.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <utility>

#include "server/payments/test_cards.hpp"
#include "usher/assert.hpp"

namespace usher::server::payments {

namespace {

constexpr std::string_view ledger_failed = "The gateway's ledger failed.";

PaymentResult declined(PaymentDecline decline, std::string_view message, const PaymentMetadata& metadata) {
  PaymentResult result;
  result.status = PaymentStatus::declined;
  result.decline = decline;
  result.message = message;
  result.metadata = metadata;
  return result;
}

PaymentResult unknown_payment(std::string_view message, const PaymentMetadata& metadata = {}) {
  PaymentResult result;
  result.message = message;
  result.metadata = metadata;
  return result;
}

std::string_view message_of(PaymentDecline decline) noexcept {
  for (const TestCard& card : test_cards) {
    if (card.decline == decline) return card.message;
  }
  return "The payment was not accepted.";
}

PaymentResult result_of(const Charge& charge) {
  if (!charge.captured) return declined(charge.decline, message_of(charge.decline), charge.metadata);
  PaymentResult result;
  result.status = PaymentStatus::captured;
  result.payment_id = charge.payment_id;
  result.metadata = charge.metadata;
  return result;
}

RefundResult refund_result(RefundStatus status, std::string_view refund_id, std::string_view message) {
  return {status, std::string{refund_id}, std::string{message}};
}

/// 1 to 255 visible ASCII characters, so that the ledger's fields stay apart.
bool is_word(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 255 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 127; });
}

/// 24 characters of 62 are 142 random bits, in the form of Stripe's ids.
std::string make_id(std::string_view prefix) {
  constexpr std::string_view letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string id{prefix};
  while (id.size() < prefix.size() + 24) {
    std::array<unsigned char, 32> bytes{};
    USHER_ASSERT(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
    for (const unsigned char byte : bytes) {
      const auto draw = static_cast<std::size_t>(byte & 63U);
      if (draw < letters.size() && id.size() < prefix.size() + 24) id += letters[draw];
    }
  }
  return id;
}

/// A draw from 0 to 1 that is the same for the same key, so that a retry meets the same fate.
double draw(std::string_view purpose, std::string_view key) {
  const std::string hex = short_digest(std::string{purpose} + ' ' + std::string{key}, 4);
  std::uint32_t value = 0;
  std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
  return static_cast<double>(value) / 4294967296.0;
}

std::string digest_of(const PaymentRequest& request) {
  return short_digest(std::to_string(request.amount.amount) + ' ' + std::string{request.amount.currency.view()} + ' ' +
                          request.token + ' ' + request.metadata.reservation_id + ' ' +
                          std::to_string(request.metadata.attempt),
                      8);
}

}  // namespace

BuiltinGateway::BuiltinGateway(const BuiltinGatewayOptions& options, Ledger ledger, Executor executor)
    : options_(options), executor_(std::move(executor)), ledger_(std::move(ledger)), thread_([this] { run(); }) {}

BuiltinGateway::~BuiltinGateway() {
  stop();
}

void BuiltinGateway::create(PaymentRequest request, PaymentCallback callback) {
  Operation operation = Payment{std::move(request), std::move(callback)};
  if (enqueue(operation, options_.latency)) return;
  count(refused_busy_);
  answer([payment = std::get<Payment>(std::move(operation))] {
    payment.callback(declined(PaymentDecline::gateway_refused, "The gateway is busy. Nothing was charged.",
                              payment.request.metadata));
  });
}

void BuiltinGateway::retrieve(std::string idempotency_key, PaymentCallback callback) {
  Operation operation = Retrieval{std::move(idempotency_key), std::move(callback)};
  if (enqueue(operation, Duration{0})) return;
  count(refused_busy_);
  answer([retrieval = std::get<Retrieval>(std::move(operation))] {
    retrieval.callback(unknown_payment("The gateway is busy."));
  });
}

void BuiltinGateway::refund(RefundRequest request, RefundCallback callback) {
  Operation operation = Refunding{std::move(request), std::move(callback)};
  if (enqueue(operation, options_.latency)) return;
  count(refused_busy_);
  answer([refunding = std::get<Refunding>(std::move(operation))] {
    refunding.callback(refund_result(RefundStatus::unknown, "", "The gateway is busy."));
  });
}

void BuiltinGateway::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopped_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

BuiltinGateway::Counters BuiltinGateway::counters() const {
  Counters counters;
  counters.captured = captured_.load(std::memory_order_relaxed);
  counters.declined = declined_.load(std::memory_order_relaxed);
  counters.answers_lost = answers_lost_.load(std::memory_order_relaxed);
  counters.repeated = repeated_.load(std::memory_order_relaxed);
  counters.refunds = refunds_.load(std::memory_order_relaxed);
  counters.refused_busy = refused_busy_.load(std::memory_order_relaxed);
  counters.ledger_failures = ledger_failures_.load(std::memory_order_relaxed);
  const std::lock_guard lock{mutex_};
  counters.in_flight = in_flight_;
  return counters;
}

bool BuiltinGateway::enqueue(Operation& operation, Duration latency) {
  const Due due = std::chrono::steady_clock::now() + latency;
  {
    const std::lock_guard lock{mutex_};
    if (stopped_ || in_flight_ >= options_.in_flight_max) return false;
    if (const auto* payment = std::get_if<Payment>(&operation)) ++keys_under_way_[payment->request.idempotency_key];
    queue_.emplace(due, std::move(operation));
    ++in_flight_;
  }
  changed_.notify_one();
  return true;
}

void BuiltinGateway::run() {
  while (true) {
    std::vector<Operation> operations = take_due();
    if (operations.empty()) return;
    decide_and_answer(std::move(operations));
  }
}

std::vector<BuiltinGateway::Operation> BuiltinGateway::take_due() {
  std::vector<Operation> due;
  std::unique_lock lock{mutex_};
  while (!stopped_) {
    const Due now = std::chrono::steady_clock::now();
    const auto end = queue_.upper_bound(now);
    if (end != queue_.begin()) {
      for (auto at = queue_.begin(); at != end; ++at) due.push_back(std::move(at->second));
      queue_.erase(queue_.begin(), end);
      return due;
    }
    if (queue_.empty()) {
      changed_.wait(lock);
    } else {
      const Due next = queue_.begin()->first;
      changed_.wait_until(lock, next);
    }
  }
  return due;
}

void BuiltinGateway::decide_and_answer(std::vector<Operation> operations) {
  std::vector<Outcome> outcomes;
  outcomes.reserve(operations.size());
  for (const Operation& operation : operations) outcomes.push_back(decide(operation));
  const bool durable = ledger_.sync().ok();
  if (!durable) count(ledger_failures_);
  release(operations);
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (auto* refunding = std::get_if<Refunding>(&operations[i])) {
      RefundResult result = std::get<RefundResult>(std::move(outcomes[i]));
      if (!durable) result = refund_result(RefundStatus::unknown, "", ledger_failed);
      answer([callback = std::move(refunding->callback), result = std::move(result)] { callback(result); });
      continue;
    }
    auto* payment = std::get_if<Payment>(&operations[i]);
    PaymentCallback& callback = payment != nullptr ? payment->callback : std::get<Retrieval>(operations[i]).callback;
    PaymentResult result = std::get<PaymentResult>(std::move(outcomes[i]));
    if (!durable) result = unknown_payment(ledger_failed, result.metadata);
    answer([callback = std::move(callback), result = std::move(result)] { callback(result); });
  }
}

void BuiltinGateway::release(const std::vector<Operation>& operations) {
  const std::lock_guard lock{mutex_};
  for (const Operation& operation : operations) {
    const auto* payment = std::get_if<Payment>(&operation);
    if (payment == nullptr) continue;
    const auto key = keys_under_way_.find(payment->request.idempotency_key);
    if (--key->second == 0) keys_under_way_.erase(key);
  }
  in_flight_ -= operations.size();
}

BuiltinGateway::Outcome BuiltinGateway::decide(const Operation& operation) {
  if (const auto* payment = std::get_if<Payment>(&operation)) return decide(payment->request);
  if (const auto* retrieval = std::get_if<Retrieval>(&operation)) return look_up(retrieval->key);
  return decide(std::get<Refunding>(operation).request);
}

PaymentResult BuiltinGateway::decide(const PaymentRequest& request) {
  if (!is_word(request.idempotency_key)) {
    return declined(PaymentDecline::gateway_refused, "Keys have 1 to 255 visible ASCII characters.", request.metadata);
  }
  std::string digest = digest_of(request);
  const Charge* known = ledger_.find_charge(request.idempotency_key);
  if (known == nullptr) return decide_new(request, std::move(digest));
  if (known->digest != digest) {
    return declined(PaymentDecline::gateway_refused, "This key was used with another request.", request.metadata);
  }
  count(repeated_);
  return result_of(*known);
}

PaymentResult BuiltinGateway::decide_new(const PaymentRequest& request, std::string digest) {
  const TestCard* card = find_test_card(request.token);
  std::string_view refusal;
  if (card == nullptr) refusal = "No such PaymentMethod.";
  if (request.amount.amount < 0) refusal = "An amount is not negative.";
  if (!request.metadata.reservation_id.empty() && !is_word(request.metadata.reservation_id))
    refusal = "Malformed metadata.";
  if (ledger_.full()) refusal = "The built-in gateway's ledger is full.";
  if (!refusal.empty()) {
    count(declined_);
    return declined(PaymentDecline::gateway_refused, refusal, request.metadata);
  }
  Charge charge;
  charge.key = request.idempotency_key;
  charge.amount = request.amount;
  charge.metadata = request.metadata;
  charge.digest = std::move(digest);
  std::optional<PaymentDecline> decline = card->decline;
  if (!decline && draw("decline", charge.key) < options_.decline_rate) decline = PaymentDecline::generic;
  charge.captured = !decline;
  charge.decline = decline.value_or(PaymentDecline::generic);
  if (charge.captured) charge.payment_id = make_id("pi_");
  PaymentResult result = result_of(charge);
  count(charge.captured ? captured_ : declined_);
  if (draw("unknown", charge.key) < options_.unknown_rate) {
    count(answers_lost_);
    result = unknown_payment("The gateway did not answer.", charge.metadata);
  }
  ledger_.add(std::move(charge));
  return result;
}

PaymentResult BuiltinGateway::look_up(const std::string& key) {
  if (const Charge* charge = ledger_.find_charge(key)) return result_of(*charge);
  if (under_way(key)) return unknown_payment("The payment is under way.");
  return declined(PaymentDecline::not_attempted, "No payment has this key.", {});
}

RefundResult BuiltinGateway::decide(const RefundRequest& request) {
  if (!is_word(request.idempotency_key)) {
    return refund_result(RefundStatus::failed, "", "Keys have 1 to 255 visible ASCII characters.");
  }
  if (const Refund* known = ledger_.find_refund(request.idempotency_key)) {
    if (known->payment_id != request.payment_id || known->amount != request.amount) {
      return refund_result(RefundStatus::failed, "", "This key was used with another request.");
    }
    count(repeated_);
    return refund_result(RefundStatus::settled, known->refund_id, "");
  }
  const Charge* charge = ledger_.find_payment(request.payment_id);
  if (charge == nullptr) return refund_result(RefundStatus::failed, "", "No such payment.");
  if (request.amount <= 0 || request.amount > charge->amount.amount - charge->refunded) {
    return refund_result(RefundStatus::failed, "", "The amount is not between 1 and what is left of the payment.");
  }
  if (ledger_.full()) return refund_result(RefundStatus::unknown, "", "The built-in gateway's ledger is full.");
  Refund refund{request.idempotency_key, make_id("re_"), request.payment_id, request.amount};
  RefundResult result = refund_result(RefundStatus::settled, refund.refund_id, "");
  ledger_.add(std::move(refund));
  count(refunds_);
  return result;
}

bool BuiltinGateway::under_way(const std::string& key) const {
  const std::lock_guard lock{mutex_};
  return keys_under_way_.contains(key);
}

void BuiltinGateway::answer(std::function<void()> call) {
  if (executor_) {
    executor_(std::move(call));
  } else {
    call();
  }
}

}  // namespace usher::server::payments
