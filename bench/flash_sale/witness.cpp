#include "bench/flash_sale/witness.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <chrono>
#include <thread>

#include "bench/flash_sale/child.hpp"

namespace usher::flash {
namespace {

constexpr std::size_t asked_at_once = 64;
constexpr int tries_max = 20;

namespace dom = simdjson::dom;

std::string text_of(const dom::element& object, const char* name) {
  std::string_view text;
  return object[name].get(text) == simdjson::SUCCESS ? std::string(text) : std::string{};
}

std::int64_t number_of(const dom::element& object, const char* name) {
  std::int64_t value = 0;
  return object[name].get(value) == simdjson::SUCCESS ? value : 0;
}

/// {"amount": 1500, "currency": "USD"}
std::int64_t amount_of(const dom::element& object, const char* name) {
  dom::element money;
  return object[name].get(money) == simdjson::SUCCESS ? number_of(money, "amount") : 0;
}

/// The elements of a list; none when it is none.
std::vector<dom::element> list_of(const dom::element& object, const char* name) {
  std::vector<dom::element> elements;
  dom::array list;
  if (object[name].get(list) != simdjson::SUCCESS) return elements;
  for (const dom::element element : list) elements.push_back(element);
  return elements;
}

BookingFacts read_booking(const dom::element& booking) {
  BookingFacts facts;
  facts.http_status = 200;
  facts.reservation = text_of(booking, "reservation_id");
  facts.show = text_of(booking, "show_id");
  facts.status = text_of(booking, "status");
  facts.amount = amount_of(booking, "total_amount");
  facts.refunded = amount_of(booking, "refunded_amount");
  for (const dom::element ticket : list_of(booking, "tickets")) {
    facts.tickets.push_back(
        {text_of(ticket, "seat_id"), amount_of(ticket, "price"), text_of(ticket, "status") != "cancelled"});
  }
  return facts;
}

bool read_map(std::string_view body, MapFacts& facts) {
  Hall hall;
  if (!hall.learn(body)) return false;
  facts.start_ms = hall.start_ms();
  for (std::size_t seat = 0; seat < hall.size(); ++seat)
    facts.seats[hall.label(seat)] = {hall.state(seat), hall.price(seat)};
  return true;
}

}  // namespace

// ---- asking ----

Status Witness::run(const char* what) {
  auto told = std::chrono::steady_clock::now();
  failure_.clear();
  while (!waiting_.empty() || !asked_.empty()) {
    while (!waiting_.empty() && asked_.size() < asked_at_once) {
      const std::uint64_t token = next_token_++;
      Job& job = asked_.emplace(token, std::move(waiting_.front())).first->second;
      waiting_.pop_front();
      wire_.send(job.request, *this, token);
    }
    (void)io_.run_one_for(std::chrono::seconds(1));
    wire_.drop_older_than(std::chrono::seconds(60));
    if (!failure_.empty()) {
      waiting_.clear();
      asked_.clear();
      return make_error(ErrorCode::io, fmt::format("{}: {}", what, failure_));
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - told < std::chrono::seconds(2)) continue;
    fmt::print(stderr, "  {}: {} to ask\n", what, waiting_.size() + asked_.size());
    told = now;
  }
  return Done{};
}

void Witness::on_answer(std::uint64_t token, const Response& response) {
  if (response.status == 503 || response.status == 429) return retry(token);
  const auto found = asked_.find(token);
  if (found == asked_.end()) return;
  const Job job = std::move(found->second);
  asked_.erase(found);
  job.handler(response);
}

void Witness::on_lost(std::uint64_t token) {
  retry(token);
}

void Witness::retry(std::uint64_t token) {
  const auto found = asked_.find(token);
  if (found == asked_.end()) return;
  Job job = std::move(found->second);
  asked_.erase(found);
  if (++job.tries == tries_max) {
    failure_ = "no answer to " + job.request.substr(0, job.request.find('\r'));
    return;
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // nothing else runs here; the server is busy
  waiting_.push_back(std::move(job));
}

Result<std::pair<int, std::string>> Witness::ask(std::string request) {
  std::pair<int, std::string> answer;
  add(std::move(request), [&](const Response& response) { answer = {response.status, std::string(response.body)}; });
  if (Status done = run("asking"); !done) return done.error();
  return answer;
}

// ---- what it asks ----

Status Witness::maps(std::map<std::string, MapFacts>& maps) {
  for (std::size_t at = 0; at < venue_.size(); ++at) {
    const std::string& show = venue_.show(at).id;
    add(venue_.seat_map(at, {}, {}), [this, &maps, show](const Response& response) {
      if (response.status != 200 || !read_map(response.body, maps[show])) {
        failure_ =
            fmt::format("the seat map of {} was answered {}: {}", show, response.status, response.body.substr(0, 200));
      }
    });
  }
  return run("seat maps");
}

void Witness::add_booking(const std::string& booking, const std::string& who, ServerSide& server) {
  add(venue_.get("/bookings/" + booking, who), [&server, booking](const Response& response) {
    dom::parser parser;
    dom::element document;
    BookingFacts& facts = server.bookings[booking];
    if (response.status == 200 &&
        parser.parse(response.body.data(), response.body.size(), true).get(document) == simdjson::SUCCESS) {
      facts = read_booking(document);
    }
    facts.http_status = response.status;
  });
}

void Witness::add_list(const std::string& query, const std::string& who, ServerSide& server) {
  add(venue_.get("/bookings?limit=100" + query, who), [this, query, who, &server](const Response& response) {
    dom::parser parser;
    dom::element document;
    if (response.status != 200 ||
        parser.parse(response.body.data(), response.body.size(), true).get(document) != simdjson::SUCCESS) {
      failure_ = fmt::format("GET /bookings was answered {}: {}", response.status, response.body.substr(0, 200));
      return;
    }
    for (const dom::element booking : list_of(document, "bookings")) {
      server.listed[text_of(booking, "booking_id")] = text_of(booking, "show_id");
    }
    const std::string cursor = text_of(document, "next_cursor");
    if (cursor.empty()) return;
    const std::string base = query.substr(0, query.find("&cursor="));
    add_list(base + "&cursor=" + cursor, who, server);
  });
}

Status Witness::histories(const Ledger& ledger, const Who& who, const std::string& staff, ServerSide& server) {
  std::set<std::string> booked;
  std::map<std::string, std::int64_t> refunds;
  for (const Entry& entry : ledger) {
    if (entry.told == Told::booked) {
      booked.insert(entry.reservation);
      add_booking(entry.booking, who(entry.person), server);
      add_list("", who(entry.person), server);
    }
    if (entry.told == Told::cancelled) refunds[entry.booking] += entry.amount;
  }
  for (const Entry& entry : ledger) {
    if (entry.told != Told::reserved || booked.contains(entry.reservation)) continue;
    add(venue_.get("/reservations/" + entry.reservation, who(entry.person)),
        [&server, id = entry.reservation](const Response& response) {
          dom::parser parser;
          dom::element document;
          ReservationFacts& facts = server.reservations[id];
          facts.http_status = response.status;
          if (parser.parse(response.body.data(), response.body.size(), true).get(document) == simdjson::SUCCESS)
            facts.status = text_of(document, "status");
        });
  }
  if (!staff.empty()) {
    for (std::size_t at = 0; at < venue_.size(); ++at) add_list("&show_id=" + venue_.show(at).id, staff, server);
  }
  if (Status done = run("histories"); !done) return done;
  // what was promised back may still be on its way
  for (int round = 0; round < 60; ++round) {
    std::size_t missing = 0;
    for (const Entry& entry : ledger) {
      if (entry.told != Told::cancelled || server.bookings[entry.booking].refunded >= refunds[entry.booking]) continue;
      add_booking(entry.booking, who(entry.person), server);
      ++missing;
    }
    if (missing == 0) break;
    std::this_thread::sleep_for(std::chrono::seconds(round == 0 ? 0 : 1));
    if (Status done = run("refunds"); !done) return done;
  }
  return Done{};
}

// ---- the log ----

Result<LogFacts> read_log(const std::string& usher, const std::string& data) {
  LogFacts facts;
  dom::parser parser;
  bool malformed = false;
  const Result<int> replayed =
      run_program({usher, "replay", "--data", data, "--reservations"}, [&](std::string_view line) {
        dom::element document;
        if (parser.parse(line.data(), line.size(), true).get(document) != simdjson::SUCCESS) {
          malformed = true;
          return;
        }
        const std::string reservation = text_of(document, "reservation_id");
        const std::string show = text_of(document, "show_id");
        if (!reservation.empty()) {
          LogReservation& of = facts.reservations[reservation];
          of.show = show;
          of.state = text_of(document, "state");
          for (const dom::element seat : list_of(document, "seat_ids")) {
            std::string_view label;
            if (seat.get(label) == simdjson::SUCCESS) of.seats.emplace_back(label);
          }
        } else if (!show.empty()) {
          facts.shows[show] = {static_cast<std::uint64_t>(number_of(document, "available")),
                               static_cast<std::uint64_t>(number_of(document, "booked"))};
        }
      });
  if (!replayed) return replayed.error();
  if (replayed.value() != 0 || malformed) {
    return make_error(ErrorCode::io, fmt::format("usher replay --data {} ended with code {}", data, replayed.value()));
  }
  const Result<int> audited = run_program({usher, "audit", "--data", data},
                                          [&](std::string_view line) { facts.audit.append(line).append("\n"); });
  if (!audited) return audited.error();
  facts.audit_clean = audited.value() == 0;
  return facts;
}

}  // namespace usher::flash
