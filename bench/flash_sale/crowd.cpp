#include "bench/flash_sale/crowd.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bench/load/tokens.hpp"

namespace usher::flash {

namespace asio = boost::asio;

namespace {

/// Running sums of weights, to draw from.
std::vector<double> sums(const std::vector<double>& weights) {
  std::vector<double> sum;
  for (const double weight : weights) sum.push_back(weight + (sum.empty() ? 0 : sum.back()));
  return sum;
}

std::size_t draw(const std::vector<double>& sum, Random& random) {
  const double wanted = std::uniform_real_distribution<double>(0, sum.back())(random);
  const auto found = std::upper_bound(sum.begin(), sum.end(), wanted);
  return std::min(static_cast<std::size_t>(found - sum.begin()), sum.size() - 1);
}

}  // namespace

std::string Identities::line_of(std::uint32_t person, std::string_view role) const {
  if (secret.empty()) return {};
  return "Authorization: Bearer " + bench::make_token(secret, prefix + "-" + std::to_string(person), role) + "\r\n";
}

Crowd::Crowd(asio::io_context& io, Wire& wire, Venue& venue, const Scenario& scenario, Identities identities,
             std::uint64_t seed)
    : io_(io),
      wire_(wire),
      venue_(venue),
      scenario_(scenario),
      identities_(std::move(identities)),
      random_(seed),
      arrivals_(draw_arrivals(scenario, random_)),
      people_(scenario.arrivals.people),
      alarm_(io),
      second_(io),
      parties_(sums(scenario.people.party)) {
  std::vector<double> wanted;
  for (std::size_t rank = 1; rank <= venue.size(); ++rank) {
    wanted.push_back(1 / std::pow(static_cast<double>(rank), scenario.people.popularity));
  }
  popularity_ = sums(wanted);
}

void Crowd::run(const std::function<void(const Second&)>& each_second) {
  each_second_ = each_second;
  began_ = now_ = Clock::now();
  arm();
  second_.expires_at(began_ + std::chrono::seconds(1));
  second_.async_wait([this](const boost::system::error_code& error) {
    if (!error) this->each_second();
  });
  while (tally_.finished() < people_.size()) (void)io_.run_one();
  alarm_.cancel();
  second_.cancel();
  each_second_(tally_.next_second(0, venue_.seats_left(), static_cast<std::uint32_t>(wire_.connections())));
}

// ---- time ----

void Crowd::arm() {
  Clock::time_point next = Clock::time_point::max();
  if (arrived_ < arrivals_.size()) next = began_ + arrivals_[arrived_];
  if (!due_.empty()) next = std::min(next, due_.top().at);
  if (next == Clock::time_point::max() || alarm_.expiry() == next) return;
  alarm_.expires_at(next);
  alarm_.async_wait([this](const boost::system::error_code& error) {
    if (!error) alarm();
  });
}

void Crowd::alarm() {
  now_ = Clock::now();
  while (arrived_ < arrivals_.size() && began_ + arrivals_[arrived_] <= now_) arrive(arrived_++);
  while (!due_.empty() && due_.top().at <= now_) {
    const Due due = due_.top();
    due_.pop();
    tally_.late(now_ - due.at);
    act(due.person, due.at);
  }
  alarm_.expires_at(Clock::time_point::min());  // so that arm() arms, whatever comes next
  arm();
}

void Crowd::arrive(std::uint32_t index) {
  Person& person = people_[index];
  person.who = identities_.line_of(index);
  person.party = pick_party();
  person.reads_left = scenario_.people.reads;
  tally_.arrival();
  tally_.late(now_ - (began_ + arrivals_[index]));
  act(index, began_ + arrivals_[index]);
}

void Crowd::each_second() {
  wire_.drop_older_than(std::chrono::seconds(30));
  const auto waiting = static_cast<std::uint32_t>(wire_.in_flight() + wire_.queued());
  each_second_(tally_.next_second(waiting, venue_.seats_left(), static_cast<std::uint32_t>(wire_.connections())));
  second_.expires_at(second_.expiry() + std::chrono::seconds(1));
  second_.async_wait([this](const boost::system::error_code& error) {
    if (!error) each_second();
  });
}

void Crowd::after(std::uint32_t index, Step step, Nanoseconds wait) {
  people_[index].step = step;
  people_[index].resends = 0;
  due_.push({now_ + wait, index});
  arm();
}

Crowd::Nanoseconds Crowd::think(Duration mean) {
  // nobody is quicker than a quarter of the average
  const double share = 0.25 + 0.75 * std::exponential_distribution<double>(1)(random_);
  return Nanoseconds{static_cast<std::int64_t>(share * static_cast<double>(scenario_.real(mean).count()))};
}

bool Crowd::chance(double share) {
  return std::uniform_real_distribution<double>(0, 1)(random_) < share;
}

std::uint8_t Crowd::pick_party() {
  return static_cast<std::uint8_t>(draw(parties_, random_) + 1);
}

/// The show that somebody wants, one that is not known to be full where there is one.
std::uint32_t Crowd::pick_show() {
  std::size_t at = draw(popularity_, random_);
  for (int other = 0; other < 4 && venue_.show(at).left == 0; ++other) at = draw(popularity_, random_);
  for (std::size_t i = 0; i < venue_.size() && venue_.show(at).left == 0; ++i) at = (at + 1) % venue_.size();
  return static_cast<std::uint32_t>(at);
}

// ---- requests ----

void Crowd::act(std::uint32_t index, Clock::time_point intended) {
  Person& person = people_[index];
  person.intended = intended;
  wire_.send(request_of(person, index), *this, index);
}

std::string Crowd::key_of(const Person& person, std::uint32_t index) const {
  return fmt::format("{}-{}-{}", identities_.prefix, index, person.keys);
}

std::string Crowd::request_of(const Person& person, std::uint32_t index) {
  switch (person.step) {
    case Step::browse:
      // the showtimes come last, just before a seat map
      return venue_.browse(person.reads_left, person.who);
    case Step::map:
      return venue_.seat_map(person.show, person.etag, person.who);
    case Step::reserve:
      return venue_.reserve(person.show, person.seats, key_of(person, index), {}, person.who);
    case Step::release:
      return venue_.release(person.reservation, person.who);
    case Step::book:
      return venue_.book(person.reservation, person.declined ? "pm_card_chargeDeclined" : "pm_card_visa",
                         key_of(person, index), person.who);
    case Step::cancel: {
      const bool part = person.seats.size() == 1;
      return venue_.cancel(person.booking, part ? venue_.show(person.show).hall.label(person.seats.front()) : "",
                           key_of(person, index), person.who);
    }
    case Step::poll:
      return venue_.get("/bookings/" + person.booking, person.who);
    case Step::history:
    case Step::gone:
      break;
  }
  return venue_.get("/bookings?limit=5", person.who);
}

void Crowd::leave(std::uint32_t index, Outcome outcome) {
  Person& person = people_[index];
  person.step = Step::gone;
  person.etag = {};
  person.seats = {};
  tally_.outcome(outcome);
}

void Crowd::complain(const Person& person, const Response& response) {
  if (complaints_.size() >= 1'000) return;
  complaints_.push_back(fmt::format("{} was answered {}, which no such call is: {}",
                                    call_names[static_cast<std::size_t>(kind_of(person.step))], response.status,
                                    response.body.substr(0, 300)));
}

}  // namespace usher::flash
