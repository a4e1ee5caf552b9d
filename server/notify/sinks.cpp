#include "server/notify/sinks.hpp"

#include <algorithm>

#include "server/events/cloud_event.hpp"
#include "server/notify/contacts.hpp"
#include "server/notify/http_post.hpp"
#include "server/notify/smtp.hpp"
#include "server/shard_clock.hpp"
#include "server/tickets/calendar.hpp"
#include "server/tickets/ticket_pdf.hpp"

namespace usher::server::notify {
namespace {

[[nodiscard]] Instant now() {
  return instant_from_ms(system_clocks.wall_ns() / 1'000'000);
}

/// The words for what happened to a booking; empty for anything else.
[[nodiscard]] std::string_view kind_of(EventType type) noexcept {
  switch (type) {
    case EventType::booked:
      return "booked";
    case EventType::seats_cancelled:
      return "cancelled";
    case EventType::refund_settled:
      return "refunded";
    default:
      return {};
  }
}

[[nodiscard]] Delivery delivery_of(std::string_view sink, std::string_view kind, const Record& record,
                                   std::size_t index) {
  Delivery delivery;
  delivery.id = std::string(sink) + "-" + events::event_id(record, index) + "-" + std::string(kind);
  delivery.kind = kind;
  delivery.show = record.show;
  delivery.sequence = record.events[index].sequence;
  delivery.number = record.events[index].attempt;
  delivery.due = record.now;
  return delivery;
}

/// A booking as it is now, and how to reach its owner.
struct Reached {
  tickets::BookingFacts booking;
  Contact contact;
  Reply reply;
};

/// Returns: nothing when the booking is gone; `busy` when its shard did not answer. An erased address is empty.
[[nodiscard]] Result<std::optional<Reached>> reach(api::App& app, const Delivery& delivery) {
  const engine::ShowDirectory::Entry* entry = app.engine.shared().directory.find(delivery.show);
  const std::shared_ptr<const api::CatalogView> view = app.catalog.load();
  const std::optional<api::ShowRef> show = view->find(delivery.show);
  if (entry == nullptr || !show || show->layout == nullptr) return std::optional<Reached>{};
  Record question;
  question.shard = entry->shard.load();
  question.show = delivery.show;
  question.events.emplace_back();
  question.events[0].type = EventType::booked;
  question.events[0].sequence = delivery.sequence;
  events::Facts facts;
  if (!events::look_up(app.engine, {question}, facts)) return make_error(ErrorCode::busy, "the shard did not answer");
  Reached reached;
  reached.reply = facts.begin()->second;
  if (reached.reply.seat_count == 0) return std::optional<Reached>{};
  reached.reply.show = delivery.show;
  reached.contact = read_contact(app.log, reached.reply.user, delivery.show, delivery.sequence);
  reached.booking = app.ticket_maker(now()).facts(view->snapshot(), reached.reply, *show);
  return std::optional<Reached>(std::move(reached));
}

[[nodiscard]] std::string seats_text(const tickets::BookingFacts& booking) {
  std::string text;
  for (const tickets::TicketFacts& ticket : booking.tickets) {
    text += (text.empty() ? "" : ", ") + ticket.seat + (ticket.cancelled ? " (cancelled)" : "");
  }
  return text;
}

[[nodiscard]] std::string subject_of(const Delivery& delivery, const tickets::BookingFacts& booking) {
  const std::string& movie = booking.show.movie;
  if (delivery.kind == "booked") return "Your tickets for " + movie;
  if (delivery.kind == "cancelled") return "Cancelled: " + movie;
  if (delivery.kind == "refunded") return "Your refund for " + movie;
  return "Soon: " + movie;
}

[[nodiscard]] std::string text_of(const Delivery& delivery, const Reached& reached) {
  const tickets::BookingFacts& booking = reached.booking;
  std::string text;
  if (delivery.kind == "booked") text = "Thank you for your booking. The tickets are attached.\n\n";
  if (delivery.kind == "cancelled")
    text = "Seats of your booking were cancelled. These tickets open the gate no more.\n\n";
  if (delivery.kind == "refunded") text = "Your refund is on its way to the card that you paid with.\n\n";
  if (delivery.kind == "reminder") text = "Your show begins soon. The tickets are attached.\n\n";
  text += booking.show.movie + "\n" + booking.show.local_time + "\n" + booking.show.theater + ", " +
          booking.show.screen + "\n" + booking.show.address + "\n\nSeats: " + seats_text(booking) +
          "\nPaid: " + tickets::money_text(booking.total) + "\n";
  if (reached.reply.refunded > 0) {
    text += "Refunded: " + tickets::money_text({reached.reply.refunded, booking.total.currency}) + "\n";
  }
  return text + "Booking: " + to_string(booking.id) + "\n";
}

class MailSink final : public Sink {
 public:
  explicit MailSink(api::App& app) : app_(app) {}
  [[nodiscard]] std::string_view name() const noexcept override { return "mail"; }

  void want(const Record& record, std::size_t index, const events::Facts&, std::vector<Delivery>& out) override {
    const EventType type = record.events[index].type;
    const std::string_view kind = kind_of(type);
    if (kind.empty()) return;
    out.push_back(delivery_of(name(), kind, record, index));
    const Duration before = app_.config.notify.reminder_before;
    const std::optional<api::ShowRef> show = app_.catalog.load()->find(record.show);
    if (type != EventType::booked || before.count() == 0 || !show || show->row->start - before <= record.now) return;
    out.push_back(delivery_of(name(), "reminder", record, index));
    out.back().due = show->row->start - before;
  }

  [[nodiscard]] Outcome send(const Delivery& delivery) override {
    const Result<std::optional<Reached>> found = reach(app_, delivery);
    if (!found) return Outcome::retry(found.error().detail);
    const std::optional<Reached>& reached = found.value();
    if (!reached || reached->contact.email.empty()) return Outcome::done();
    const tickets::BookingFacts& booking = reached->booking;
    const bool with_tickets = delivery.kind == "booked" || delivery.kind == "reminder";
    if (delivery.kind == "reminder" && booking.cancelled()) return Outcome::done();
    Mail mail{delivery.id, reached->contact.email, subject_of(delivery, booking), text_of(delivery, *reached), {},
              now()};
    if (with_tickets && !booking.cancelled()) {
      Result<std::string> pdf = tickets::tickets_pdf(booking.show, booking.tickets, booking.id);
      if (!pdf) return Outcome::retry(pdf.error().detail);
      mail.attachments.push_back({"tickets.pdf", "application/pdf", std::move(pdf).value()});
    }
    if (delivery.kind != "refunded") {
      mail.attachments.push_back(
          {"booking.ics", "text/calendar; charset=utf-8", tickets::booking_calendar(booking, now())});
    }
    return send_mail(app_.config.notify, mail);
  }

 private:
  api::App& app_;
};

class WebhookSink final : public Sink {
 public:
  explicit WebhookSink(api::App& app) : app_(app), key_(webhook_key(app.config.notify.webhook_secret.text)) {}
  [[nodiscard]] std::string_view name() const noexcept override { return "webhook"; }

  void want(const Record& record, std::size_t index, const events::Facts& facts, std::vector<Delivery>& out) override {
    const EventType type = record.events[index].type;
    const bool told = !kind_of(type).empty() || type == EventType::refund_due || type == EventType::refund_failed ||
                      type == EventType::ticket_used || type == EventType::show_cancelled;
    if (!told) return;
    const std::shared_ptr<const api::CatalogView> view = app_.catalog.load();
    json::TextBuffer text;
    json::Writer json(text);
    events::write_cloud_event(json, record, index, facts, *view, {});
    for (std::size_t at = 0; at < app_.config.notify.webhook_urls.size(); ++at) {
      out.push_back(delivery_of(name(), events::event_name(type), record, index));
      out.back().id += "-" + std::to_string(at);
      out.back().target = app_.config.notify.webhook_urls[at];
      out.back().body = text.view();
    }
  }

  [[nodiscard]] Outcome send(const Delivery& delivery) override {
    const auto& urls = app_.config.notify.webhook_urls;
    if (std::find(urls.begin(), urls.end(), delivery.target) == urls.end()) {
      return Outcome::give_up("the endpoint is configured no more");
    }
    // an operator's second try has no due time any more: it asks, whatever was said before
    if (gone_.contains(delivery.target) && delivery.due != Instant{}) {
      return Outcome::give_up("the endpoint answered 410");
    }
    const HttpAnswer answer =
        http_post({delivery.target, delivery.id, delivery.body, key_, app_.config.notify.allow_private, now()});
    if (answer.status >= 200 && answer.status < 300) {
      gone_.erase(delivery.target);
      return Outcome::done();
    }
    if (answer.status == 410) {
      gone_.insert(delivery.target);
      return Outcome::give_up("the endpoint answered 410");
    }
    return Outcome::retry(answer.status == 0 ? answer.error : "answered " + std::to_string(answer.status));
  }

 private:
  api::App& app_;
  std::string key_;
  std::set<std::string> gone_;  ///< answered 410; asked again after a restart, once
};

class SmsSink final : public Sink {
 public:
  explicit SmsSink(api::App& app) : app_(app), key_(webhook_key(app.config.notify.sms_secret.text)) {}
  [[nodiscard]] std::string_view name() const noexcept override { return "sms"; }

  void want(const Record& record, std::size_t index, const events::Facts&, std::vector<Delivery>& out) override {
    const EventType type = record.events[index].type;
    if (type != EventType::booked && type != EventType::seats_cancelled) return;
    out.push_back(delivery_of(name(), kind_of(type), record, index));
  }

  [[nodiscard]] Outcome send(const Delivery& delivery) override {
    const Result<std::optional<Reached>> found = reach(app_, delivery);
    if (!found) return Outcome::retry(found.error().detail);
    const std::optional<Reached>& reached = found.value();
    if (!reached || reached->contact.phone.empty()) return Outcome::done();
    const tickets::ShowFacts& show = reached->booking.show;
    json::TextBuffer text;
    json::Writer json(text);
    json.begin_object();
    json.field("id", delivery.id);
    json.field("to", reached->contact.phone);
    json.field("text", subject_of(delivery, reached->booking) + ", " + show.local_time + ", " + show.theater +
                           ". Seats " + seats_text(reached->booking));
    json.end_object();
    const HttpAnswer answer = http_post({app_.config.notify.sms_url, delivery.id, std::string(text.view()), key_,
                                         app_.config.notify.allow_private, now()});
    if (answer.status >= 200 && answer.status < 300) return Outcome::done();
    const bool refused = answer.status >= 400 && answer.status < 500 && answer.status != 408 && answer.status != 429;
    const std::string why = answer.status == 0 ? answer.error : "answered " + std::to_string(answer.status);
    return refused ? Outcome::give_up(why) : Outcome::retry(why);
  }

 private:
  api::App& app_;
  std::string key_;
};

}  // namespace

std::unique_ptr<Sink> make_mail_sink(api::App& app) {
  return std::make_unique<MailSink>(app);
}
std::unique_ptr<Sink> make_webhook_sink(api::App& app) {
  return std::make_unique<WebhookSink>(app);
}
std::unique_ptr<Sink> make_sms_sink(api::App& app) {
  return std::make_unique<SmsSink>(app);
}

}  // namespace usher::server::notify
