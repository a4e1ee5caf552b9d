#include "server/payments/ledger.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/resource.h>

#include <fstream>
#include <sstream>

#include "tests/server/config/temporary_directory.hpp"

using namespace usher;
using namespace usher::server::payments;

namespace {

Charge captured(std::string key, std::string payment_id, std::int64_t amount = 1'500) {
  Charge charge;
  charge.key = std::move(key);
  charge.captured = true;
  charge.payment_id = std::move(payment_id);
  charge.amount.amount = amount;
  charge.metadata = {"reservation-1", 2};
  charge.digest = "00112233aabbccdd";
  return charge;
}

std::string read_file(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream{path, std::ios::binary}.rdbuf();
  return text.str();
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream{path, std::ios::binary | std::ios::trunc} << text;
}

/// A ledger of one captured charge, one declined one without a reservation, and one refund.
std::string sample(const std::filesystem::path& path) {
  Result<Ledger> ledger = Ledger::open(path);
  REQUIRE(ledger.ok());
  ledger.value().add(captured("k1", "pi_1"));
  Charge declined;
  declined.key = "k2";
  declined.decline = PaymentDecline::lost_card;
  declined.digest = "ff";
  ledger.value().add(declined);
  ledger.value().add(Refund{"r1", "re_1", "pi_1", 500});
  REQUIRE(ledger.value().sync().ok());
  return read_file(path);
}

}  // namespace

TEST_CASE("ledger: opened again: everything synced is there") {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "gateway.ledger";
  sample(path);
  const Result<Ledger> ledger = Ledger::open(path);
  REQUIRE(ledger.ok());
  const Charge* charge = ledger.value().find_charge("k1");
  REQUIRE(charge != nullptr);
  CHECK(charge->captured);
  CHECK(charge->payment_id == "pi_1");
  CHECK(charge->amount == Money{1'500, {}});
  CHECK(charge->metadata == PaymentMetadata{"reservation-1", 2});
  CHECK(charge->digest == "00112233aabbccdd");
  CHECK(charge->refunded == 500);
  CHECK(ledger.value().find_payment("pi_1") == charge);
  const Charge* declined = ledger.value().find_charge("k2");
  REQUIRE(declined != nullptr);
  CHECK_FALSE(declined->captured);
  CHECK(declined->decline == PaymentDecline::lost_card);
  CHECK(declined->metadata == PaymentMetadata{});
  REQUIRE(ledger.value().find_refund("r1") != nullptr);
  CHECK(ledger.value().find_refund("r1")->refund_id == "re_1");
  CHECK(ledger.value().find_refund("k1") == nullptr);
  CHECK(ledger.value().bytes_cut() == 0);
}

TEST_CASE("ledger: cut at every byte: opens with the whole lines before, and can be written to again") {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "gateway.ledger";
  const std::string text = sample(path);
  const std::size_t first_end = text.find('\n') + 1;
  for (std::size_t size = 0; size < text.size(); ++size) {
    CAPTURE(size);
    write_file(path, text.substr(0, size));
    Result<Ledger> ledger = Ledger::open(path);
    REQUIRE(ledger.ok());
    CHECK((ledger.value().find_charge("k1") != nullptr) == (size >= first_end));
    CHECK(ledger.value().find_refund("r1") == nullptr);
    ledger.value().add(captured("k9", "pi_9"));
    REQUIRE(ledger.value().sync().ok());
    const Result<Ledger> again = Ledger::open(path);
    REQUIRE(again.ok());
    CHECK(again.value().find_charge("k9") != nullptr);
    CHECK(again.value().bytes_cut() == 0);
  }
}

TEST_CASE("ledger: a flipped bit before the last line: refused, with the line") {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "gateway.ledger";
  const std::string text = sample(path);
  const std::size_t last_line = text.rfind('\n', text.size() - 2) + 1;
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const int bit : {0, 3, 7}) {
      CAPTURE(at);
      std::string damaged = text;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      write_file(path, damaged);
      const Result<Ledger> ledger = Ledger::open(path);
      const bool newline_before_last_line = at + 1 == last_line;
      if (at < last_line && !newline_before_last_line) {
        REQUIRE_FALSE(ledger.ok());
        CHECK(ledger.error().code == ErrorCode::corrupt);
      } else {
        REQUIRE(ledger.ok());
        CHECK(ledger.value().bytes_cut() > 0);
        CHECK(ledger.value().find_refund("r1") == nullptr);
      }
    }
  }
}

TEST_CASE("ledger: no such folder: an error of the system") {
  const TemporaryDirectory directory;
  const Result<Ledger> ledger = Ledger::open(directory.path() / "absent" / "gateway.ledger");
  REQUIRE_FALSE(ledger.ok());
  CHECK(ledger.error().code == ErrorCode::io);
}

TEST_CASE("ledger: a file that may not grow: the sync fails, and every later one too") {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "gateway.ledger";
  Result<Ledger> ledger = Ledger::open(path);
  REQUIRE(ledger.ok());
  ledger.value().add(captured("k1", "pi_1"));
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit nothing{0, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &nothing) == 0);
  const bool first = ledger.value().sync().ok();
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
  CHECK_FALSE(first);
  ledger.value().add(captured("k2", "pi_2"));
  CHECK_FALSE(ledger.value().sync().ok());
  CHECK(read_file(path).empty());
}

TEST_CASE("ledger: the digest: is SHA-256's") {
  CHECK(short_digest("abc", 8) == "ba7816bf8f01cfea");
}
