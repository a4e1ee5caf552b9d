#include "server/explain/asked.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace usher;
using namespace usher::server;
using namespace usher::server::explain;

namespace {

Instant at(std::int64_t ms) {
  return instant_from_ms(ms);
}

/// "0-10 20-30"
std::string told(const std::vector<Span>& spans) {
  std::string text;
  for (const Span& span : spans) {
    text += (text.empty() ? "" : " ") + std::to_string(to_ms(span.from)) + "-" + std::to_string(to_ms(span.until));
  }
  return text;
}

}  // namespace

TEST_CASE("asked: of one person and show, the newest") {
  Asked asked(ShowNumber{7}, UserNumber{1}, 2);
  for (std::uint32_t i = 0; i < 12; ++i) {
    journal::Decision decision;
    decision.show = ShowNumber{6 + i % 2};
    decision.user = UserNumber{i % 3};
    decision.sequence = i;
    asked.on_decision(decision);
  }
  asked.on_dropped(5);
  REQUIRE(asked.decisions().size() == 2);
  CHECK(asked.decisions()[0].sequence == 1);
  CHECK(asked.decisions()[1].sequence == 7);
  CHECK(asked.left_out() == 0);
  CHECK(asked.dropped() == 5);
  journal::Decision last;
  last.show = ShowNumber{7};
  last.user = UserNumber{1};
  last.sequence = 13;
  asked.on_decision(last);
  CHECK(asked.decisions()[0].sequence == 7);
  CHECK(asked.left_out() == 1);
}

TEST_CASE("asked: times of which no file tells") {
  const std::vector<journal::JournalFile> files{{"a", at(10), at(20), {}}, {"b", at(30), at(35), {}}};
  CHECK(told(not_covered({}, true, at(5), at(50))) == "5-50");
  CHECK(told(not_covered(files, false, at(0), at(50))) == "0-10 20-30 35-50");
  CHECK(told(not_covered(files, true, at(0), at(50))) == "0-10 20-30");
  CHECK(told(not_covered(files, true, at(10), at(50))) == "20-30");
  CHECK(told(not_covered(files, false, at(12), at(25))) == "20-25");
  CHECK(told(not_covered(files, false, at(60), at(60))).empty());
}
