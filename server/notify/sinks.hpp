#pragma once
/// The three sinks: mail, webhooks, SMS. Each is used by its courier's thread only.

#include <memory>
#include <set>

#include "server/api/app.hpp"
#include "server/notify/courier.hpp"

namespace usher::server::notify {

/// To a booking's own address: what was booked (with PDF and calendar), cancelled, refunded; a reminder before the
/// show.
[[nodiscard]] std::unique_ptr<Sink> make_mail_sink(api::App& app);
/// To each of notify.webhook_urls: bookings, cancellations, refunds, uses of tickets, cancelled shows, as CloudEvents.
/// Who answers 410 gets no more until an operator tries one of its deliveries again.
[[nodiscard]] std::unique_ptr<Sink> make_webhook_sink(api::App& app);
/// By a signed HTTP call to notify.sms_url, {"id", "to", "text"}: what was booked and cancelled.
[[nodiscard]] std::unique_ptr<Sink> make_sms_sink(api::App& app);

}  // namespace usher::server::notify
