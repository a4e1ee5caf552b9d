#include "server/payments/builtin_gateway.hpp"

#include <doctest/doctest.h>

#include <future>
#include <latch>
#include <set>

#include "tests/server/config/temporary_directory.hpp"

using namespace usher;
using namespace usher::server::payments;
using namespace std::chrono_literals;

namespace {

PaymentRequest request(std::string key, std::string token = "pm_card_visa", std::int64_t amount = 1'500) {
  return {std::move(key), {amount, {}}, std::move(token), {"01234567-89ab-8cde-8f01-23456789abcd", 1}};
}

PaymentResult create(PaymentGateway& gateway, PaymentRequest payment) {
  std::promise<PaymentResult> promise;
  gateway.create(std::move(payment), [&](const PaymentResult& result) { promise.set_value(result); });
  return promise.get_future().get();
}

PaymentResult retrieve(PaymentGateway& gateway, std::string key) {
  std::promise<PaymentResult> promise;
  gateway.retrieve(std::move(key), [&](const PaymentResult& result) { promise.set_value(result); });
  return promise.get_future().get();
}

RefundResult refund(PaymentGateway& gateway, std::string key, std::string payment_id, std::int64_t amount) {
  std::promise<RefundResult> promise;
  gateway.refund({std::move(key), std::move(payment_id), amount},
                 [&](const RefundResult& result) { promise.set_value(result); });
  return promise.get_future().get();
}

Ledger open_ledger(const std::filesystem::path& path) {
  Result<Ledger> ledger = Ledger::open(path);
  REQUIRE(ledger.ok());
  return std::move(ledger).value();
}

}  // namespace

TEST_CASE("gateway: a good card: is charged, and the answer carries the reservation") {
  BuiltinGateway gateway{{}, Ledger{}};
  const PaymentResult result = create(gateway, request("k1"));
  CHECK(result.status == PaymentStatus::captured);
  CHECK(result.payment_id.starts_with("pi_"));
  CHECK(result.payment_id.size() == 27);
  CHECK(result.metadata == request("k1").metadata);
  CHECK(gateway.counters().captured == 1);
  CHECK(gateway.counters().in_flight == 0);
}

TEST_CASE("gateway: each test card: meets its fate") {
  BuiltinGateway gateway{{}, Ledger{}};
  const auto fate = [&](const char* token) { return create(gateway, request(token, token)); };
  CHECK(fate("pm_card_mastercard").status == PaymentStatus::captured);
  CHECK(fate("pm_card_chargeDeclined").decline == PaymentDecline::generic);
  CHECK(fate("pm_card_chargeDeclinedInsufficientFunds").decline == PaymentDecline::insufficient_funds);
  CHECK(fate("pm_card_chargeDeclinedExpiredCard").decline == PaymentDecline::expired_card);
  CHECK(fate("pm_card_chargeDeclinedLostCard").decline == PaymentDecline::lost_card);
  const PaymentResult none = fate("pm_card_nothing");
  CHECK(none.status == PaymentStatus::declined);
  CHECK(none.decline == PaymentDecline::gateway_refused);
  CHECK(none.message == "No such PaymentMethod.");
}

TEST_CASE("gateway: the same key: charges once; with another request it is refused") {
  BuiltinGateway gateway{{}, Ledger{}};
  const PaymentResult first = create(gateway, request("k1"));
  CHECK(create(gateway, request("k1")).payment_id == first.payment_id);
  CHECK(create(gateway, request("k1", "pm_card_visa", 1'501)).decline == PaymentDecline::gateway_refused);
  CHECK(create(gateway, request("k1", "pm_card_mastercard")).decline == PaymentDecline::gateway_refused);
  CHECK(retrieve(gateway, "k1").payment_id == first.payment_id);
  CHECK(gateway.counters().captured == 1);
  CHECK(gateway.counters().repeated == 1);
  const PaymentResult declined = create(gateway, request("k2", "pm_card_chargeDeclined"));
  CHECK(create(gateway, request("k2", "pm_card_chargeDeclined")).message == declined.message);
}

TEST_CASE("gateway: malformed requests: are refused and charge nothing") {
  BuiltinGateway gateway{{}, Ledger{}};
  CHECK(create(gateway, request("")).decline == PaymentDecline::gateway_refused);
  CHECK(create(gateway, request("a b")).decline == PaymentDecline::gateway_refused);
  CHECK(create(gateway, request("a\nb")).decline == PaymentDecline::gateway_refused);
  CHECK(create(gateway, request(std::string(256, 'k'))).decline == PaymentDecline::gateway_refused);
  CHECK(create(gateway, request(std::string(255, 'k'))).status == PaymentStatus::captured);
  CHECK(create(gateway, request("k3", "pm_card_visa", -1)).decline == PaymentDecline::gateway_refused);
  CHECK(gateway.counters().captured == 1);
}

TEST_CASE("gateway: retrieve: never charges, and tells under way from never heard of") {
  BuiltinGateway gateway{{.latency = 1h}, Ledger{}};
  gateway.create(request("k1"), [](const PaymentResult&) { FAIL("not due for an hour"); });
  CHECK(retrieve(gateway, "k1").status == PaymentStatus::unknown);
  const PaymentResult none = retrieve(gateway, "k2");
  CHECK(none.status == PaymentStatus::declined);
  CHECK(none.decline == PaymentDecline::not_attempted);
  CHECK(gateway.counters().in_flight == 1);
  CHECK(gateway.counters().captured == 0);
}

TEST_CASE("gateway: latency: an answer does not come earlier, and slow ones do not hold up each other") {
  BuiltinGateway gateway{{.latency = 40ms}, Ledger{}};
  const auto start = std::chrono::steady_clock::now();
  std::latch done{200};
  for (int i = 0; i < 200; ++i) {
    gateway.create(request("k" + std::to_string(i)), [&](const PaymentResult&) { done.count_down(); });
  }
  done.wait();
  const auto took = std::chrono::steady_clock::now() - start;
  CHECK(took >= 40ms);
  CHECK(took < 200 * 40ms / 2);
  CHECK(gateway.counters().captured == 200);
}

TEST_CASE("gateway: full: refuses a payment with nothing charged, and tells nothing about a refund") {
  BuiltinGateway gateway{{.latency = 1h, .in_flight_max = 1}, Ledger{}};
  gateway.create(request("k1"), [](const PaymentResult&) { FAIL("not due for an hour"); });
  const PaymentResult result = create(gateway, request("k2"));
  CHECK(result.status == PaymentStatus::declined);
  CHECK(result.decline == PaymentDecline::gateway_refused);
  CHECK(refund(gateway, "r1", "pi_1", 1).status == RefundStatus::unknown);
  CHECK(retrieve(gateway, "k1").status == PaymentStatus::unknown);
  CHECK(gateway.counters().refused_busy == 3);
}

TEST_CASE("gateway: the answer is there: the ledger on the disk has it already") {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "gateway.ledger";
  BuiltinGateway gateway{{}, open_ledger(path)};
  const PaymentResult result = create(gateway, request("k1"));
  const Ledger seen = open_ledger(path);
  REQUIRE(seen.find_charge("k1") != nullptr);
  CHECK(seen.find_charge("k1")->payment_id == result.payment_id);
}

TEST_CASE("gateway: another life: retrieve and create tell what the first one did, also when its answer was lost") {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "gateway.ledger";
  std::string payment_id;
  {
    BuiltinGateway gateway{{.unknown_rate = 1}, open_ledger(path)};
    CHECK(create(gateway, request("k1")).status == PaymentStatus::unknown);
    payment_id = retrieve(gateway, "k1").payment_id;
    CHECK(create(gateway, request("k2", "pm_card_chargeDeclinedLostCard")).status == PaymentStatus::unknown);
  }
  BuiltinGateway gateway{{}, open_ledger(path)};
  const PaymentResult found = retrieve(gateway, "k1");
  CHECK(found.status == PaymentStatus::captured);
  CHECK(found.payment_id == payment_id);
  CHECK(found.metadata == request("k1").metadata);
  CHECK(create(gateway, request("k1")).payment_id == payment_id);
  CHECK(create(gateway, request("k1", "pm_card_mastercard")).decline == PaymentDecline::gateway_refused);
  CHECK(retrieve(gateway, "k2").decline == PaymentDecline::lost_card);
  CHECK(gateway.counters().captured == 0);
}

TEST_CASE("gateway: stopped before it was due: nothing is charged, nobody is called") {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "gateway.ledger";
  {
    BuiltinGateway gateway{{.latency = 1h}, open_ledger(path)};
    gateway.create(request("k1"), [](const PaymentResult&) { FAIL("dropped"); });
    gateway.stop();
    CHECK(create(gateway, request("k2")).decline == PaymentDecline::gateway_refused);
  }
  BuiltinGateway gateway{{}, open_ledger(path)};
  CHECK(retrieve(gateway, "k1").decline == PaymentDecline::not_attempted);
}

TEST_CASE("gateway: refunds: once per key, never more than was paid, also in another life") {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "gateway.ledger";
  std::string payment_id;
  std::string refund_id;
  {
    BuiltinGateway gateway{{}, open_ledger(path)};
    payment_id = create(gateway, request("k1")).payment_id;
    const RefundResult half = refund(gateway, "r1", payment_id, 700);
    CHECK(half.status == RefundStatus::settled);
    CHECK(half.refund_id.starts_with("re_"));
    refund_id = half.refund_id;
  }
  BuiltinGateway gateway{{}, open_ledger(path)};
  CHECK(refund(gateway, "r1", payment_id, 700).refund_id == refund_id);
  CHECK(refund(gateway, "r1", payment_id, 701).status == RefundStatus::failed);
  CHECK(refund(gateway, "r2", payment_id, 801).status == RefundStatus::failed);
  CHECK(refund(gateway, "r2", payment_id, 800).status == RefundStatus::settled);
  CHECK(refund(gateway, "r3", payment_id, 1).status == RefundStatus::failed);
  CHECK(refund(gateway, "r4", payment_id, 0).status == RefundStatus::failed);
  CHECK(refund(gateway, "r5", "pi_none", 1).status == RefundStatus::failed);
}

TEST_CASE("gateway: rates: the same key meets the same fate, and about so many do") {
  BuiltinGateway gateway{{.decline_rate = 0.25}, Ledger{}};
  int declined = 0;
  for (int i = 0; i < 1'000; ++i) {
    if (create(gateway, request("k" + std::to_string(i))).status == PaymentStatus::declined) ++declined;
  }
  CHECK(declined > 200);
  CHECK(declined < 300);
  BuiltinGateway other{{.decline_rate = 0.25}, Ledger{}};
  int different = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string key = "k" + std::to_string(i);
    if (create(other, request(key)).status != create(gateway, request(key)).status) ++different;
  }
  CHECK(different == 0);
}

TEST_CASE("gateway: an executor: every answer goes through it, the refusal of a full gateway too") {
  std::mutex mutex;
  std::vector<std::function<void()>> posted;
  std::condition_variable changed;
  const Executor executor = [&](std::function<void()> call) {
    const std::lock_guard lock{mutex};
    posted.push_back(std::move(call));
    changed.notify_all();
  };
  int answers = 0;
  BuiltinGateway gateway{{.in_flight_max = 0}, Ledger{}, executor};
  gateway.create(request("k1"), [&](const PaymentResult&) { ++answers; });
  BuiltinGateway open{{}, Ledger{}, executor};
  open.create(request("k1"), [&](const PaymentResult&) { ++answers; });
  std::unique_lock lock{mutex};
  changed.wait(lock, [&] { return posted.size() == 2; });
  CHECK(answers == 0);
  for (const auto& call : posted) call();
  CHECK(answers == 2);
}

TEST_CASE("gateway: many threads: each call is answered once, each payment has an id of its own") {
  const TemporaryDirectory directory;
  BuiltinGateway gateway{{}, open_ledger(directory.path() / "gateway.ledger")};
  std::mutex mutex;
  std::set<std::string> ids;
  std::latch done{2'000};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 500; ++i) {
          // every second key is shared by two threads
          const int owner = i % 2 == 0 ? t : t / 2;
          gateway.create(request("k" + std::to_string(owner) + (i % 2 == 0 ? "-own-" : "-shared-") + std::to_string(i)),
                         [&](const PaymentResult& result) {
                           {
                             const std::lock_guard lock{mutex};
                             ids.insert(result.payment_id);
                           }
                           done.count_down();
                         });
        }
      });
    }
  }
  done.wait();
  CHECK(ids.size() == 1'500);
  CHECK(gateway.counters().repeated == 500);
}
