/// What people make of answers.

#include <algorithm>

#include "bench/flash_sale/crowd.hpp"
#include "bench/flash_sale/members.hpp"

namespace usher::flash {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

}  // namespace

CallKind Crowd::kind_of(Step step) noexcept {
  switch (step) {
    case Step::browse:
      return CallKind::browse;
    case Step::map:
      return CallKind::seat_map;
    case Step::reserve:
      return CallKind::reserve;
    case Step::release:
      return CallKind::release;
    case Step::book:
      return CallKind::book;
    case Step::cancel:
      return CallKind::cancel;
    default:
      return CallKind::history;
  }
}

void Crowd::on_answer(std::uint64_t token, const Response& response) {
  now_ = Clock::now();
  const auto index = static_cast<std::uint32_t>(token);
  Person& person = people_[index];
  tally_.answer(kind_of(person.step), response.status, now_ - person.intended);
  if (!response.set_cookie.empty() && identities_.secret.empty()) {
    person.who = "Cookie: " + std::string(response.set_cookie) + "\r\n";
  }
  if (held_off(index, response)) return;
  switch (person.step) {
    case Step::browse:
      return on_browse(index, response);
    case Step::map:
      return on_map(index, response);
    case Step::reserve:
      return on_reserve(index, response);
    case Step::release:
      return on_release(index, response);
    case Step::book:
      return on_book(index, response);
    case Step::poll:
      return on_poll(index, response);
    case Step::cancel:
      return on_cancel(index, response);
    case Step::history:
      return on_history(index, response);
    case Step::gone:
      return;
  }
}

/// No room, or not yet: 503 and 429 tell when to come back. Returns: whether that was the answer.
bool Crowd::held_off(std::uint32_t index, const Response& response) {
  if (response.status == 503) {
    // jittered, so that all who were refused do not come back at once
    const auto wait = std::max<Nanoseconds>(seconds(response.retry_after_s), milliseconds(100));
    resend(index,
           wait / 2 + Nanoseconds{static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(wait.count()))});
    return true;
  }
  if (response.status != 429) return false;
  const auto wait = std::max<Nanoseconds>(seconds(response.retry_after_s), milliseconds(100));
  Person& person = people_[index];
  if (person.step != Step::reserve) {
    resend(index, wait);
  } else if (++person.tries >= scenario_.people.tries || wait > scenario_.real(std::chrono::minutes(10))) {
    leave(index, Outcome::held_off);
  } else {
    after(index, Step::map, wait + think(scenario_.people.again));
  }
  return true;
}

/// The same call once more, with the same key: it cannot have two effects.
void Crowd::resend(std::uint32_t index, Nanoseconds wait) {
  Person& person = people_[index];
  if (++person.resends <= resends_max) {
    due_.push({now_ + wait, index});
    return arm();
  }
  switch (person.step) {
    case Step::reserve:
      ledger_.push_back(entry_of(Told::reserve_unknown, index));
      break;
    case Step::release:
      ledger_.push_back(entry_of(Told::release_unknown, index));
      break;
    case Step::book:
    case Step::poll:
      ledger_.push_back(entry_of(Told::book_unknown, index));
      break;
    case Step::cancel:
      ledger_.push_back(entry_of(Told::cancel_unknown, index));
      break;
    default:
      break;
  }
  leave(index, Outcome::overloaded);
}

void Crowd::on_lost(std::uint64_t token) {
  now_ = Clock::now();
  const auto index = static_cast<std::uint32_t>(token);
  if (people_[index].step == Step::gone) return;
  tally_.lost(kind_of(people_[index].step));
  resend(index, milliseconds(50) * (1U << std::min<unsigned>(people_[index].resends, 6)));
}

Entry Crowd::entry_of(Told told, std::uint32_t index) const {
  const Person& person = people_[index];
  Entry entry;
  entry.told = told;
  entry.person = index;
  entry.show = venue_.show(person.show).id;
  entry.reservation = person.reservation;
  const bool cancels = told == Told::cancelled || told == Told::cancel_unknown;
  if (cancels || told == Told::booked) entry.booking = person.booking;
  if (told == Told::reserved || told == Told::reserve_unknown || told == Told::booked ||
      (cancels && person.seats.size() == 1)) {
    for (const std::uint32_t seat : person.seats) entry.seats.push_back(venue_.show(person.show).hall.label(seat));
  }
  return entry;
}

// ---- looking ----

void Crowd::on_browse(std::uint32_t index, const Response& response) {
  Person& person = people_[index];
  if (response.status != 200) {
    complain(person, response);
    return leave(index, Outcome::failed);
  }
  if (person.reads_left > 0) {
    // every other page is a seat map: people compare shows
    if (--person.reads_left % 2 == 1) person.show = pick_show();
    return after(index, person.reads_left % 2 == 1 ? Step::map : Step::browse, think(scenario_.people.look));
  }
  person.show = pick_show();
  person.etag.clear();
  after(index, Step::map, think(scenario_.people.look));
}

void Crowd::on_map(std::uint32_t index, const Response& response) {
  Person& person = people_[index];
  VenueShow& show = venue_.show(person.show);
  const bool seen = response.status == 304 || (response.status == 200 && show.hall.update(response.body));
  if (!seen || !show.hall.known()) {
    complain(person, response);
    return leave(index, Outcome::failed);
  }
  show.left = show.hall.available();
  if (response.status == 200) person.etag = response.etag;
  if (person.reads_left > 0) {
    --person.reads_left;
    person.etag.clear();
    return after(index, Step::browse, think(scenario_.people.look));
  }
  person.seats = show.hall.choose(person.party, scenario_.people.centre, random_);
  if (person.seats.empty()) {
    if (person.full_looks++ >= scenario_.people.full_looks) return leave(index, Outcome::sold_out);
    return look_again(index);
  }
  ++person.keys;
  after(index, Step::reserve, think(scenario_.people.choose));
}

/// Another show, or the same one with fresh eyes.
void Crowd::look_again(std::uint32_t index) {
  Person& person = people_[index];
  const std::uint32_t before = person.show;
  if (venue_.show(before).left == 0) person.show = pick_show();
  if (person.show != before) person.etag.clear();
  after(index, Step::map, think(scenario_.people.again));
}

// ---- reserving ----

void Crowd::on_reserve(std::uint32_t index, const Response& response) {
  if (response.status == 201) return on_reserved(index, response);
  if (response.status == 409) return on_conflict(index, text_member(response.body, "\"code\":"));
  if (response.status == 422) return on_conflict(index, "orphan_rule");
  complain(people_[index], response);
  leave(index, Outcome::failed);
}

void Crowd::on_conflict(std::uint32_t index, std::string_view code) {
  Person& person = people_[index];
  if (code == "idempotency_in_flight") return resend(index, milliseconds(100));
  if (++person.tries >= scenario_.people.tries) return leave(index, Outcome::outrun);
  look_again(index);
}

void Crowd::on_reserved(std::uint32_t index, const Response& response) {
  const std::string_view body = response.body;
  Person& person = people_[index];
  person.reservation = text_member(body, "\"reservation_id\":");
  person.expires_in_ms = static_cast<std::uint32_t>(number_member(body, "\"expires_in_ms\":"));
  Entry entry = entry_of(Told::reserved, index);
  entry.amount = number_member(body, "\"amount\":");
  entry.lsn = static_cast<std::uint64_t>(number_member(body, "\"lsn\":"));
  entry.at_ms = parse_time_ms(text_member(body, "\"reserved_at\":"));
  entry.until_ms = parse_time_ms(text_member(body, "\"expires_at\":"));
  if (person.reservation.empty() || entry.until_ms == 0 || seats_of(body) != entry.seats) {
    complain(person, response);
  }
  ledger_.push_back(std::move(entry));
  const People& people = scenario_.people;
  person.abandons = !person.came_back && chance(people.abandon_share);
  person.releases = chance(people.release_share);
  person.declined = chance(people.decline_share);
  if (person.releases) return after(index, Step::release, think(people.pay));
  if (!person.abandons) {
    ++person.keys;
    return after(index, Step::book, think(people.pay));
  }
  if (!chance(people.come_back_share)) return leave(index, Outcome::abandoned);
  person.came_back = true;
  person.etag.clear();
  after(index, Step::map, milliseconds(person.expires_in_ms) + think(people.again));
}

void Crowd::on_release(std::uint32_t index, const Response& response) {
  if (response.status == 204) {
    ledger_.push_back(entry_of(Told::released, index));
  } else if (response.status != 404 && response.status != 410) {  // over by itself before
    complain(people_[index], response);
  } else if (people_[index].resends > 0) {
    ledger_.push_back(entry_of(Told::release_unknown, index));  // perhaps by the call whose answer was lost
  }
  leave(index, Outcome::released);
}

// ---- paying ----

void Crowd::on_book(std::uint32_t index, const Response& response) {
  Person& person = people_[index];
  const std::string_view code = text_member(response.body, "\"code\":");
  if (response.status == 201) return on_booked(index, response);
  if (response.status == 402 && person.declined) {
    ledger_.push_back(entry_of(Told::declined, index));
    if (!chance(scenario_.people.second_card_share)) return leave(index, Outcome::declined);
    person.declined = false;
    ++person.keys;
    return after(index, Step::book, think(scenario_.people.again));
  }
  if (response.status == 202) {
    ledger_.push_back(entry_of(Told::book_unknown, index));
    person.booking = text_member(response.body, "\"booking_id\":");
    return after(index, Step::poll, seconds(1));
  }
  if (code == "payment_in_flight" || code == "idempotency_in_flight") return resend(index, milliseconds(200));
  const bool late = response.status == 410 || code == "seats_lost" || code == "unknown_reservation";
  if (!late) complain(person, response);
  leave(index, late ? Outcome::too_late : Outcome::failed);
}

void Crowd::on_booked(std::uint32_t index, const Response& response) {
  Person& person = people_[index];
  person.booking = text_member(response.body, "\"booking_id\":");
  Entry entry = entry_of(Told::booked, index);
  entry.amount = number_member(response.body, "\"amount\":");
  entry.lsn = static_cast<std::uint64_t>(number_member(response.body, "\"lsn\":"));
  entry.at_ms = parse_time_ms(text_member(response.body, "\"booked_at\":"));
  std::vector<std::string> seats;
  each_member(response.body, "\"seat_id\":", [&](std::string_view seat) { seats.emplace_back(seat); });
  if (person.booking.empty() || seats != entry.seats) complain(person, response);
  entry.seats = std::move(seats);
  ledger_.push_back(std::move(entry));
  after_booking(index);
}

/// Whether somebody cancels, and when: by themselves, or all in one wave.
void Crowd::after_booking(std::uint32_t index) {
  Person& person = people_[index];
  const People& people = scenario_.people;
  person.cancels = chance(people.cancel_share);
  if (!person.cancels) {
    if (!chance(people.history_share)) return leave(index, Outcome::booked);
    return after(index, Step::history, think(people.look));
  }
  if (person.seats.size() > 1 && chance(people.cancel_part_share)) person.seats.resize(1);
  ++person.keys;
  if (people.cancel_wave_at.count() == 0) return after(index, Step::cancel, think(people.cancel_after));
  const double within = std::uniform_real_distribution<double>(0, 1)(random_);
  const auto width = static_cast<double>(scenario_.real(people.cancel_wave_width).count());
  const auto at =
      began_ + scenario_.real(people.cancel_wave_at) + Nanoseconds{static_cast<std::int64_t>(within * width)};
  after(index, Step::cancel, std::max<Nanoseconds>(at - now_, milliseconds(1)));
}

void Crowd::on_poll(std::uint32_t index, const Response& response) {
  if (response.status == 200) return on_booked(index, response);
  if (response.status == 404 || response.status == 410) return resend(index, seconds(1));
  complain(people_[index], response);
  leave(index, Outcome::failed);
}

// ---- afterwards ----

void Crowd::on_cancel(std::uint32_t index, const Response& response) {
  Person& person = people_[index];
  const std::string_view code = text_member(response.body, "\"code\":");
  if (response.status == 200) {
    Entry entry = entry_of(Told::cancelled, index);
    entry.amount = number_member(response.body, "\"amount\":");
    entry.percent = static_cast<std::uint32_t>(number_member(response.body, "\"percent\":"));
    entry.lsn = static_cast<std::uint64_t>(number_member(response.body, "\"lsn\":"));
    entry.at_ms = parse_time_ms(text_member(response.body, "\"server_time\":"));
    ledger_.push_back(std::move(entry));
    if (chance(scenario_.people.history_share)) return after(index, Step::history, think(scenario_.people.look));
    return leave(index, Outcome::cancelled);
  }
  if (code == "idempotency_in_flight") return resend(index, milliseconds(100));
  if (code != "cancellation_too_late") complain(person, response);
  leave(index, Outcome::booked);
}

void Crowd::on_history(std::uint32_t index, const Response& response) {
  const Person& person = people_[index];
  // what was told once is in the history from then on
  if (response.status != 200 || response.body.find(person.booking) == std::string_view::npos)
    complain(person, response);
  leave(index, person.cancels ? Outcome::cancelled : Outcome::booked);
}

}  // namespace usher::flash
