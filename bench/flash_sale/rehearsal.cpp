#include "bench/flash_sale/rehearsal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "bench/flash_sale/members.hpp"
#include "bench/load/tokens.hpp"

namespace usher::flash {
namespace {

using server::journal::Decision;

/// In the order of engine/catalog/layout.hpp.
constexpr std::array<std::string_view, 5> seat_types{"standard", "premium", "accessible", "companion", "obstructed"};

bool reserves(CommandType type) noexcept {
  return type == CommandType::reserve || type == CommandType::reserve_best;
}

/// What nobody asked for: the server's own words to itself.
bool of_the_server(CommandType type) noexcept {
  return type == CommandType::finish_payment || type == CommandType::finish_refund;
}

bool of_the_house(CommandType type) noexcept {
  return type == CommandType::cancel_show || type == CommandType::block_seats || type == CommandType::unblock_seats;
}

}  // namespace

Rehearsal::Rehearsal(boost::asio::io_context& io, Wire& wire, Venue& venue, const Recording& recording,
                     std::string secret, double speed)
    : io_(io),
      wire_(wire),
      venue_(venue),
      recording_(recording),
      secret_(std::move(secret)),
      speed_(speed),
      alarm_(io) {
  for (const auto& [number, show] : recording.shows) {
    for (std::size_t at = 0; at < venue.size(); ++at) {
      if (venue.show(at).id == show.id) show_at_[number] = at;
    }
  }
  for (std::size_t at = 0; at < recording.decisions.size(); ++at) {
    const Decision& decision = recording.decisions[at];
    if (decision.type != CommandType::finish_payment) continue;
    outcomes_.emplace(std::pair{reservation_key(decision.show, decision.sequence), decision.attempt}, at);
  }
}

void Rehearsal::run(const std::function<void(const RehearsalCounts&)>& each_second) {
  began_ = Clock::now() + std::chrono::milliseconds(50);
  arm();
  Clock::time_point told = Clock::now();
  while (next_ < recording_.decisions.size() || under_way_ > 0) {
    (void)io_.run_one_for(std::chrono::seconds(1));
    if (Clock::now() - told < std::chrono::seconds(1)) continue;
    told = Clock::now();
    wire_.drop_older_than(std::chrono::seconds(30));
    each_second(counts_);
  }
  alarm_.cancel();
  for (const auto& [reservation, follow] : follows_) counts_.fell_away += follow.waiting.size();
}

Rehearsal::Clock::time_point Rehearsal::due(std::size_t at) const {
  const auto since_ms = static_cast<double>((recording_.decisions[at].at - recording_.began()).count());
  return began_ + std::chrono::nanoseconds(static_cast<std::int64_t>(since_ms * 1e6 / speed_));
}

std::int64_t Rehearsal::sale_ms(Clock::time_point time) const {
  return static_cast<std::int64_t>(std::chrono::duration<double, std::milli>(time - began_).count() * speed_);
}

void Rehearsal::arm() {
  if (next_ == recording_.decisions.size()) return;
  alarm_.expires_at(due(next_));
  alarm_.async_wait([this](const boost::system::error_code& error) {
    if (!error) play_due();
  });
}

void Rehearsal::play_due() {
  const Clock::time_point now = Clock::now();
  while (next_ < recording_.decisions.size() && due(next_) <= now) {
    late_.add(static_cast<std::uint64_t>(std::chrono::nanoseconds(now - due(next_)).count()));
    play(next_++);
  }
  arm();
}

void Rehearsal::play(std::size_t at) {
  const Decision& decision = recording_.decisions[at];
  if (of_the_server(decision.type)) return;
  if (decision.type > CommandType::unblock_seats) {
    ++counts_.others;
    return;
  }
  if (decision.replayed) {
    ++counts_.repeats;
    return;
  }
  if (!show_at_.contains(to_value(decision.show))) {
    ++counts_.fell_away;
    return;
  }
  if (!reserves(decision.type) && !of_the_house(decision.type)) {
    Follow* follow = nullptr;
    if (!follows(at, follow)) return;
  } else if (reserves(decision.type) && decision.refusal == Refusal::none) {
    follows_[reservation_key(decision.show, decision.sequence)];
  }
  send(at);
}

/// What a command is about, as it is called this time. Returns: false when it must wait, or falls away.
bool Rehearsal::follows(std::size_t at, Follow*& follow) {
  const Decision& decision = recording_.decisions[at];
  const auto found = follows_.find(reservation_key(decision.show, decision.sequence));
  if (found == follows_.end() || found->second.state == Follow::State::refused) {
    ++counts_.fell_away;
    return false;
  }
  const bool of_booking = decision.type == CommandType::cancel || decision.type == CommandType::read_booking ||
                          decision.type == CommandType::preview_cancel;
  if (found->second.state == Follow::State::asked || (of_booking && found->second.booking.empty())) {
    found->second.waiting.push_back(at);
    return false;
  }
  follow = &found->second;
  return true;
}

void Rehearsal::send(std::size_t at) {
  const Decision& decision = recording_.decisions[at];
  const auto found = follows_.find(reservation_key(decision.show, decision.sequence));
  const Follow* follow = found == follows_.end() ? nullptr : &found->second;
  ++counts_.sent;
  ++under_way_;
  wire_.send(request_of(decision, follow), *this, at);
}

const std::string& Rehearsal::line_of(const Decision& decision) {
  const bool house = decision.staff || of_the_house(decision.type);
  const std::uint64_t user = house ? ~0ULL : to_value(decision.user);
  std::string& line = lines_[user];
  if (line.empty()) {
    const std::string name = house ? "rehearsal-house" : fmt::format("rehearsal-{:016x}", user);
    line = "Authorization: Bearer " + bench::make_token(secret_, name, house ? "admin" : "customer") + "\r\n";
  }
  return line;
}

std::string Rehearsal::seats_json(const Decision& decision) const {
  const VenueShow& show = venue_.show(show_at_.at(to_value(decision.show)));
  std::string json = "{\"seat_ids\":[";
  for (std::uint8_t i = 0; i < decision.seat_count && i < decision.seats.size(); ++i) {
    const auto seat = static_cast<std::size_t>(decision.seats[i]);
    if (seat >= show.hall.size()) continue;
    json += fmt::format("{}\"{}\"", json.back() == '[' ? "" : ",", show.hall.label(seat));
  }
  return json + "]}";
}

std::string Rehearsal::payment_request(const Decision& decision, const Follow& follow) {
  std::string_view card = "pm_card_visa";
  const auto outcome = outcomes_.find({reservation_key(decision.show, decision.sequence), decision.attempt});
  if (decision.refusal == Refusal::none && outcome != outcomes_.end()) {
    const Decision& finish = recording_.decisions[outcome->second];
    if (finish.payment == PaymentOutcome::declined) {
      card = finish.decline == PaymentDecline::insufficient_funds ? "pm_card_chargeDeclinedInsufficientFunds"
                                                                  : "pm_card_chargeDeclined";
    }
  }
  return venue_.book(follow.id, card, {}, line_of(decision));
}

std::string Rehearsal::request_of(const Decision& decision, const Follow* follow) {
  const std::string& who = line_of(decision);
  const std::string& show = venue_.show(show_at_.at(to_value(decision.show))).id;
  switch (decision.type) {
    case CommandType::reserve:
      return venue_.post("/shows/" + show + "/reserve", seats_json(decision), {}, who);
    case CommandType::reserve_best: {
      const std::string type =
          decision.seat_type < seat_types.size() ? fmt::format(",\"type\":\"{}\"", seat_types[decision.seat_type]) : "";
      return venue_.post("/shows/" + show + "/reserve",
                         fmt::format("{{\"best_available\":{{\"count\":{}{},\"split\":{}}}}}", decision.seat_count,
                                     type, decision.split),
                         {}, who);
    }
    case CommandType::release:
      return venue_.release(follow->id, who);
    case CommandType::read_reservation:
      return venue_.get("/reservations/" + follow->id, who);
    case CommandType::start_payment:
      return payment_request(decision, *follow);
    case CommandType::read_booking:
      return venue_.get("/bookings/" + follow->booking, who);
    case CommandType::preview_cancel:
      return venue_.get("/bookings/" + follow->booking + "/cancellation", who);
    case CommandType::cancel:
      return venue_.post("/bookings/" + follow->booking + "/cancel",
                         decision.seat_count == 0 ? "" : seats_json(decision), {}, who);
    case CommandType::cancel_show:
      return venue_.post("/admin/shows/" + show + "/cancel", {}, {}, who);
    case CommandType::block_seats:
      return venue_.post("/admin/shows/" + show + "/block", seats_json(decision), {}, who);
    default:
      return venue_.post("/admin/shows/" + show + "/unblock", seats_json(decision), {}, who);
  }
}

// ---- answers ----

void Rehearsal::on_answer(std::uint64_t token, const Response& response) {
  const auto at = static_cast<std::size_t>(token);
  const Decision& decision = recording_.decisions[at];
  const Clock::time_point now = Clock::now();
  --under_way_;
  if (reserves(decision.type))
    latency_.add(static_cast<std::uint64_t>(std::chrono::nanoseconds(now - std::min(now, due(at))).count()));
  DemandEvent event;
  event.at_ms = sale_ms(now);
  event.type = decision.type;
  event.show = to_value(decision.show);
  event.reservation = reservation_key(decision.show, decision.sequence);
  event.seats = decision.seat_count;
  const bool ok = response.status >= 200 && response.status < 300;
  if (!ok) event.result = text_member(response.body, "\"code\":");
  if (reserves(decision.type) && ok) {
    if (decision.refusal != Refusal::none) event.reservation = (1ULL << 63U) | at;  // nobody had it in the recording
    event.seats = static_cast<std::uint32_t>(seats_of(response.body).size());
    event.expires_ms =
        event.at_ms +
        static_cast<std::int64_t>(static_cast<double>(number_member(response.body, "\"expires_in_ms\":")) * speed_);
  }
  events_.push_back(event);
  if (decision.type == CommandType::start_payment && (ok || response.status == 402)) {
    event.type = CommandType::finish_payment;  // both are in one answer
    if (response.status != 202) events_.push_back(event);
  }
  const auto found = follows_.find(reservation_key(decision.show, decision.sequence));
  if (found != follows_.end()) settle(at, found->second, response);
}

/// The answer that others wait for is there.
void Rehearsal::settle(std::size_t at, Follow& follow, const Response& response) {
  const Decision& decision = recording_.decisions[at];
  if (reserves(decision.type) && decision.refusal == Refusal::none) {
    follow.state = response.status == 201 ? Follow::State::given : Follow::State::refused;
    follow.id = text_member(response.body, "\"reservation_id\":");
  } else if (decision.type == CommandType::start_payment && response.status == 201) {
    follow.booking = text_member(response.body, "\"booking_id\":");
  } else if (decision.type != CommandType::start_payment) {
    return;
  }
  std::vector<std::size_t> waiting;
  waiting.swap(follow.waiting);
  for (const std::size_t command : waiting) play(command);
}

void Rehearsal::on_lost(std::uint64_t token) {
  ++counts_.lost;
  --under_way_;
  const Decision& decision = recording_.decisions[static_cast<std::size_t>(token)];
  const auto found = follows_.find(reservation_key(decision.show, decision.sequence));
  if (found == follows_.end() || !reserves(decision.type) || decision.refusal != Refusal::none) return;
  found->second.state = Follow::State::refused;
  counts_.fell_away += found->second.waiting.size();
  found->second.waiting.clear();
}

}  // namespace usher::flash
