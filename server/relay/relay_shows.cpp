#include "server/relay/relay_shows.hpp"

#include "server/api/problem.hpp"

namespace usher::server::relay {
namespace {

constexpr ws::HandshakeError unknown_show{404, "unknown_show", "the upstream has no such show"};
constexpr ws::HandshakeError upstream_lost{503, "upstream_lost", "the relay has lost its source", "Retry-After: 1\r\n"};
constexpr ws::HandshakeError too_many_shows{503, "feed_full", "the relay follows as many shows as it may",
                                            "Retry-After: 1\r\n"};
constexpr ws::HandshakeError early_requests{400, "invalid_handshake",
                                            "earlier requests on this connection have no answer yet"};

}  // namespace

RelayShows::RelayShows(const RelayShowsContext& context, std::uint16_t number) : context_(context), number_(number) {
  context_.feed.set_source(*this);
}

// ---- who comes ----

void RelayShows::open(std::string_view name, Guest guest) {
  std::unique_ptr<Show>& show = shows_[std::string(name)];
  if (show && show->lost) return refuse(guest.reply_to, upstream_lost);
  if (!show) {
    show = std::make_unique<Show>();
    show->name = name;
    context_.upstream.watch(number_, show->name);
  }
  show->guests.push_back(std::move(guest));
  ++waiting_;
  if (show->state) admit(*show, false);
}

// Those who know nothing newer than we do become subscribers; for the others the server is asked.
void RelayShows::admit(Show& show, bool refreshed) {
  std::vector<Guest> guests;
  guests.swap(show.guests);
  waiting_ -= guests.size();
  for (Guest& guest : guests) {
    if (refreshed) --guest.answers_left;
    if (guest.answers_left > 0 && guest.from && *guest.from > show.state->lsn) {
      show.guests.push_back(std::move(guest));
    } else {
      join(show, guest);
    }
  }
  waiting_ += show.guests.size();
  if (!show.guests.empty()) return context_.upstream.refresh(show.key);
  if (!show.watched) forget(show);  // none of them has stayed
}

void RelayShows::join(Show& show, Guest& guest) {
  http::Connection* const connection = context_.loop.find(guest.reply_to);
  if (connection == nullptr) return;  // gone
  ws::SubscriberLimits& limits = context_.feed.limits();
  if (const ws::HandshakeError full = ws::to_error(limits.take(guest.client)); full.status != 0) {
    return refuse(guest.reply_to, full);
  }
  std::optional<http::DetachedSocket> socket = connection->detach(guest.reply_to.slot);
  if (!socket) {
    limits.give(guest.client);
    return refuse(guest.reply_to, early_requests);
  }
  context_.metrics.count_request(context_.route, guest.format == ws::Format::events ? 200 : 101);
  context_.feed.join({show.key, guest.format, guest.from, guest.client, std::move(guest.head)}, *std::move(socket));
}

void RelayShows::refuse(const ReplyTo& to, const ws::HandshakeError& error) {
  context_.metrics.count_request(context_.route, error.status);
  json::TextBuffer body;
  http::append_problem(body, {error.status, error.code, api::title_of(error.code), error.detail});
  const std::string fields = std::string(api::no_store).append(error.fields);
  context_.loop.respond(
      to, {.status = error.status, .content_type = http::content_type::problem, .body = body.view(), .fields = fields});
}

// ---- what the feed asks ----

void RelayShows::watch(ws::FeedKey key) {
  if (Show* const show = find(key)) show->watched = true;
  due_.push_back(key);
}

void RelayShows::unwatch(ws::FeedKey key) {
  Show* const show = find(key);
  if (show == nullptr) return;
  show->watched = false;
  if (show->guests.empty()) forget(*show);
}

// A guest has become a subscriber only when what we know is as new as can be had; the feed has just not told it yet.
void RelayShows::refresh(ws::FeedKey key) {
  due_.push_back(key);
}

void RelayShows::work() {
  for (const ws::FeedKey key : due_) {
    if (const Show* const show = find(key)) context_.feed.publish(key, show->state);
  }
  due_.clear();
}

// ---- what the upstream tells ----

void RelayShows::found(const std::string& name, ws::FeedKey key, SharedState state) {
  const auto entry = shows_.find(name);
  if (entry == shows_.end()) return context_.upstream.unwatch(number_, key);
  Show& show = *entry->second;
  show.key = key;
  show.state = std::move(state);
  by_key_[key] = &show;
  admit(show, false);
}

void RelayShows::refused(const std::string& name, Why why) {
  const auto entry = shows_.find(name);
  if (entry == shows_.end()) return;
  const ws::HandshakeError& error = why == Why::unknown_show ? unknown_show
                                    : why == Why::full       ? too_many_shows
                                                             : upstream_lost;
  refuse_all(*entry->second, error);
  shows_.erase(entry);
}

void RelayShows::refuse_all(Show& show, const ws::HandshakeError& error) {
  waiting_ -= show.guests.size();
  for (const Guest& guest : show.guests) refuse(guest.reply_to, error);
  show.guests.clear();
}

void RelayShows::changed(ws::FeedKey key, SharedState state, bool refreshed) {
  Show* const show = find(key);
  if (show == nullptr) return;
  show->state = std::move(state);
  show->lost = false;
  context_.feed.publish(key, show->state);
  if (!show->guests.empty()) admit(*show, refreshed);
}

void RelayShows::lost(ws::FeedKey key) {
  Show* const show = find(key);
  if (show == nullptr) return;
  show->lost = true;
  refuse_all(*show, upstream_lost);
  if (!show->watched) forget(*show);
}

void RelayShows::ended(ws::FeedKey key, std::uint16_t code) {
  Show* const show = find(key);
  if (show == nullptr) return;
  const bool is_lost = code == ws::close_code::try_again;
  refuse_all(*show, is_lost ? upstream_lost : unknown_show);
  by_key_.erase(key);
  shows_.erase(std::string(show->name));
  context_.feed.end(key, code, is_lost ? "the relay has lost its source" : "the show is over");
}

void RelayShows::forget(Show& show) {
  context_.upstream.unwatch(number_, show.key);
  by_key_.erase(show.key);
  shows_.erase(std::string(show.name));
}

RelayShows::Show* RelayShows::find(ws::FeedKey key) noexcept {
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : found->second;
}

}  // namespace usher::server::relay
