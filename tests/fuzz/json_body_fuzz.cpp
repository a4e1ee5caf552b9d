/// Bodies of commands: the short way and the Reader must agree on what both take; and a policy as an operator sends it.

#include "server/catalog/policy_reader.hpp"
#include "server/json/reader.hpp"
#include "server/json/seat_ids.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "usher/policy.hpp"

using namespace usher;
using namespace usher::server;

namespace {

void read_general(std::string_view text) {
  json::Reader reader(std::size_t{1} << 20U, 16);
  json::Object root = reader.parse_copy(text);
  (void)root.optional_string("reservation_id", {36, 36});
  (void)root.optional_string("payment_token", {1, 255});
  (void)root.optional_boolean("split");
  (void)root.optional_integer("count", 1, 32);
  (void)root.optional_number("latitude", -90, 90);
  json::Object best = root.optional_object("best_available");
  (void)best.optional_integer("count", 1, 32);
  best.finish();
  json::Array lines = root.optional_array("checkins", 1, 500);
  while (lines.next()) {
    json::Object line = lines.object();
    (void)line.string("ticket", {1, 512});
    line.finish();
  }
  root.finish();
  if (!reader.ok()) USHER_ASSERT(!reader.error().empty());
  json::Object again = reader.parse_copy(text);
  Policy policy;
  catalog::read_policy(again, policy);
}

void check_short_way(std::string_view text) {
  json::SeatIds quick;
  if (!json::read_seat_ids(text, quick)) return;
  json::Reader reader;
  json::Object root = reader.parse_copy(text);
  json::Array seats = root.array("seat_ids", 1, 32);
  std::size_t count = 0;
  while (seats.next()) {
    USHER_ASSERT(count < quick.count);
    USHER_ASSERT(seats.string({1, 15}) == quick.labels[count]);
    ++count;
  }
  root.finish();
  USHER_ASSERT(reader.ok() && count == quick.count);
}

void check_short_line(std::string_view text) {
  json::ReserveLine quick;
  if (!json::read_reserve_line(text, quick)) return;
  json::Reader reader;
  json::Object root = reader.parse_copy(text);
  USHER_ASSERT(root.string("command", {1, 32}) == "reserve");
  USHER_ASSERT(root.string("show_id", {1, 255}) == quick.show_id);
  USHER_ASSERT(root.optional_string("user_id", {1, 255}).value_or("") == quick.user_id);
  json::Array seats = root.array("seat_ids", 1, 32);
  for (std::size_t i = 0; seats.next(); ++i) USHER_ASSERT(seats.string({1, 15}) == quick.seats.labels[i]);
  root.finish();
  USHER_ASSERT(reader.ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  check_short_way(text);
  check_short_line(text);
  read_general(text);
  return 0;
}
