#include "server/config/keys.hpp"

#include <fmt/core.h>

#include <array>
#include <span>

#include "server/config/values.hpp"
#include "usher/assert.hpp"

namespace usher::server::config {

std::string quote_toml(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) < 0x20U) {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

namespace {

std::string quote_list(const std::vector<std::string>& items) {
  std::string text = "[";
  for (const std::string& item : items) text += (text.size() > 1 ? ", " : "") + quote_toml(item);
  return text + "]";
}

constexpr Duration none{0};
constexpr Duration day{std::chrono::hours{24}};

/// Adds keys of one section to a list. Every adder names the place that the key fills.
class Section {
 public:
  Section(std::vector<Key>& keys, std::string_view name) : keys_(keys), section_(name) {}

  void text(std::string_view name, std::string& place, std::string_view help) {
    add(name, KeyType::text, "a text", help, assign_text(place), [&place] { return quote_toml(place); });
  }
  void secret(std::string_view name, Secret& place, std::string_view help) {
    add(name, KeyType::secret, "a text", help, assign_text(place.text),
        [&place] { return place.given() ? "\"(hidden)\"" : "\"\""; });
  }
  void address(std::string_view name, std::string& place, bool may_be_empty, std::string_view help) {
    const auto assign = [&place, may_be_empty](std::string_view value) {
      if (!is_address(value) && !(may_be_empty && value.empty())) return false;
      place = value;
      return true;
    };
    const std::string_view rule = may_be_empty ? "an IP address, or empty" : "an IP address";
    add(name, KeyType::text, rule, help, assign, [&place] { return quote_toml(place); });
  }
  void networks(std::string_view name, std::vector<std::string>& place, std::string_view help) {
    const auto assign = [&place](std::string_view value) {
      std::vector<std::string> items;
      for (const std::string_view item : split_list(value)) {
        if (!is_network(item)) return false;
        items.emplace_back(item);
      }
      place = std::move(items);
      return true;
    };
    add(name, KeyType::list, "a list of IP addresses or networks such as 10.0.0.0/8", help, assign,
        [&place] { return quote_list(place); });
  }
  void urls(std::string_view name, std::vector<std::string>& place, std::string_view help) {
    const auto assign = [&place](std::string_view value) {
      std::vector<std::string> items;
      for (const std::string_view item : split_list(value)) {
        if (!item.starts_with("http://") && !item.starts_with("https://")) return false;
        items.emplace_back(item);
      }
      place = std::move(items);
      return true;
    };
    add(name, KeyType::list, "a list of http or https URLs", help, assign, [&place] { return quote_list(place); });
  }
  void origins(std::string_view name, std::vector<std::string>& place, std::string_view help) {
    const auto assign = [&place](std::string_view value) {
      std::vector<std::string> items;
      for (const std::string_view item : split_list(value)) {
        if (!is_origin(item)) return false;
        items.emplace_back(item);
      }
      place = std::move(items);
      return true;
    };
    add(name, KeyType::list, "a list of origins such as https://shop.example, or *", help, assign,
        [&place] { return quote_list(place); });
  }
  void flag(std::string_view name, bool& place, std::string_view help) {
    const auto assign = [&place](std::string_view value) {
      const std::optional<bool> flag = parse_flag(value);
      if (flag) place = *flag;
      return flag.has_value();
    };
    add(name, KeyType::flag, "true or false", help, assign, [&place] { return place ? "true" : "false"; });
  }
  template <class T>
  void integer(std::string_view name, T& place, std::uint64_t min, std::uint64_t max, std::string_view help) {
    const auto assign = [&place, min, max](std::string_view value) {
      const std::optional<std::uint64_t> number = parse_integer(value);
      if (!number || *number < min || *number > max) return false;
      place = static_cast<T>(*number);
      return true;
    };
    add(name, KeyType::integer, fmt::format("an integer from {} to {}", min, max), help, assign,
        [&place] { return fmt::format("{}", place); });
  }
  void fraction(std::string_view name, double& place, std::string_view help) {
    const auto assign = [&place](std::string_view value) {
      const std::optional<double> number = parse_fraction(value);
      if (number) place = *number;
      return number.has_value();
    };
    add(name, KeyType::fraction, "a number from 0 to 1", help, assign, [&place] { return fmt::format("{}", place); });
  }
  void duration(std::string_view name, Duration& place, Duration min, Duration max, std::string_view help) {
    const auto assign = [&place, min, max](std::string_view value) {
      const std::optional<Duration> duration = parse_duration(value);
      if (!duration || *duration < min || *duration > max) return false;
      place = *duration;
      return true;
    };
    add(name, KeyType::duration,
        fmt::format("a duration from {} to {}, such as 500ms, 10m or 1h30m", format_duration(min),
                    format_duration(max)),
        help, assign, [&place] { return quote_toml(format_duration(place)); });
  }
  void size(std::string_view name, std::uint64_t& place, std::uint64_t min, std::uint64_t max, std::string_view help) {
    const auto assign = [&place, min, max](std::string_view value) {
      const std::optional<std::uint64_t> bytes = parse_size(value);
      if (!bytes || *bytes < min || *bytes > max) return false;
      place = *bytes;
      return true;
    };
    add(name, KeyType::size, fmt::format("a size from {} to {}, such as 512MiB", format_size(min), format_size(max)),
        help, assign, [&place] { return quote_toml(format_size(place)); });
  }
  /// `names` are those of the enumerators, in their order.
  template <class Enum, std::size_t count>
  void choice(std::string_view name, Enum& place, const std::array<std::string_view, count>& names,
              std::string_view help) {
    const auto assign = [&place, names](std::string_view value) {
      for (std::size_t i = 0; i < count; ++i) {
        if (names[i] != value) continue;
        place = static_cast<Enum>(i);
        return true;
      }
      return false;
    };
    std::string rule;
    for (std::size_t i = 0; i < count; ++i) {
      rule += fmt::format("{}{}", i == 0 ? "" : (i + 1 == count ? " or " : ", "), names[i]);
    }
    add(name, KeyType::choice, rule, help, assign,
        [&place, names] { return quote_toml(names[static_cast<std::size_t>(place)]); });
  }
  void refund_tiers(std::string_view name, Policy& policy, std::string_view help) {
    add(
        name, KeyType::list,
        fmt::format("at most {} tiers such as \">24h:100\" or \">=2h:50\", longest time first",
                    limits::refund_tiers_max),
        help, [&policy](std::string_view value) { return assign_refund_tiers(policy, value); },
        [&policy] {
          std::vector<std::string> items;
          for (std::size_t i = 0; i < policy.refund_tier_count; ++i) {
            items.push_back(format_refund_tier(policy.refund_tiers[i]));
          }
          return quote_list(items);
        });
  }

 private:
  void add(std::string_view name, KeyType type, std::string_view rule, std::string_view help,
           std::function<bool(std::string_view)> assign, std::function<std::string()> print) {
    keys_.push_back({fmt::format("{}.{}", section_, name), type, std::string{rule}, std::string{help},
                     std::move(assign), std::move(print)});
  }
  static std::function<bool(std::string_view)> assign_text(std::string& place) {
    return [&place](std::string_view value) {
      place = value;
      return true;
    };
  }
  /// Whether some time fits `later` and not `earlier`.
  static bool falls(const RefundTier& earlier, const RefundTier& later) noexcept {
    if (later.bound != earlier.bound) return later.bound < earlier.bound;
    return later.inclusive && !earlier.inclusive;
  }
  static bool assign_refund_tiers(Policy& policy, std::string_view value) {
    const std::vector<std::string_view> items = split_list(value);
    if (items.size() > limits::refund_tiers_max) return false;
    std::array<RefundTier, limits::refund_tiers_max> tiers{};
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::optional<RefundTier> tier = parse_refund_tier(items[i]);
      if (!tier || tier->bound > 366 * day || (i > 0 && !falls(tiers[i - 1], *tier))) return false;
      tiers[i] = *tier;
    }
    policy.refund_tiers = tiers;
    policy.refund_tier_count = static_cast<std::uint8_t>(items.size());
    return true;
  }

  std::vector<Key>& keys_;
  std::string_view section_;
};

void bind_http(std::vector<Key>& keys, HttpConfig& http) {
  Section section{keys, "http"};
  section.address("address", http.address, false, "The address to listen on; 0.0.0.0 or :: for all.");
  section.integer("port", http.port, 0, 65'535, "The port to listen on; 0 lets the system choose one.");
  section.integer("connections_max", http.connections_max, 1, 1'000'000,
                  "Connections open at once; further ones wait in the system's queue.");
  section.duration("idle_timeout", http.idle_timeout, Duration{100}, day,
                   "A connection without a request for so long is closed.");
  section.duration("header_timeout", http.header_timeout, Duration{100}, day,
                   "A request that takes longer than this to arrive is answered 408 and closed.");
  section.size("body_bytes_max", http.body_bytes_max, kibibyte, 64 * mebibyte,
               "Longest body of a request; /commands and /admin/import have limits of their own.");
  section.networks("trusted_proxies", http.trusted_proxies,
                   "Peers whose Forwarded, X-Forwarded-For or PROXY header tells the user's address.");
  section.flag("io_uring", http.io_uring,
               "Use io_uring for sockets where the kernel offers it (Linux 6.1), else epoll.");
}

void bind_admin(std::vector<Key>& keys, AdminConfig& admin, MetricsConfig& metrics) {
  Section section{keys, "admin"};
  section.address("address", admin.address, true,
                  "Own listener for /admin and /metrics; empty: they are served with everything else.");
  section.integer("port", admin.port, 0, 65'535, "The port of that listener; 0 lets the system choose one.");
  Section metrics_section{keys, "metrics"};
  metrics_section.flag("public", metrics.is_public, "Whether /metrics is answered without a staff or admin token.");
}

void bind_server(std::vector<Key>& keys, ServerConfig& server) {
  Section section{keys, "server"};
  section.integer("loops", server.loops, 0, 256, "Event loops; 0: one per core but one, at least one.");
  section.integer("shards", server.shards, 1, limits::shards_max,
                  "Logical shards; fixed when the data directory is made, ignored afterwards.");
  section.integer("work_threads", server.work_threads, 1, 64, "Threads for work that would block a loop.");
  section.integer("work_queue_max", server.work_queue_max, 1, 1'000'000,
                  "Such jobs waiting at once; beyond that the request is answered 503.");
  section.duration("drain_timeout", server.drain_timeout, none, day,
                   "How long SIGTERM waits for requests in flight before connections are closed.");
  section.size("warm_memory", server.warm_memory, 0, 16'384 * mebibyte,
               "Memory kept ready ahead of what is used, so that no reserve waits for the kernel to hand it over.");
  section.integer("work_limit", server.work_limit, 0, 100'000'000,
                  "Requests a second that sell or look, of all loops; further ones are answered 503; 0: no limit.");
  section.duration("queue_age_max", server.queue_age_max, Duration{10}, Duration{std::chrono::minutes{1}},
                   "Where thousands wait and answers take longer than this, requests are answered 503 unread.");
}

void bind_wal(std::vector<Key>& keys, WalConfig& wal, DiskConfig& disk) {
  Section section{keys, "wal"};
  section.flag("retain", wal.retain, "Whether the whole log is kept, for time travel and audits.");
  section.choice("anchor", wal.anchor, std::array<std::string_view, 2>{"lazy", "commit"},
                 "When the anchor is synced: at most 10 ms late, or with every commit.");
  section.size("segment_bytes", wal.segment_bytes, mebibyte, 64 * gibibyte,
               "A segment of the log is closed at this size.");
  section.duration("segment_age", wal.segment_age, Duration{1'000}, 30 * day,
                   "A segment of the log is closed at this age.");
  section.duration("checkpoint_interval", wal.checkpoint_interval, Duration{1'000}, day,
                   "How often changed shows are checkpointed.");
  section.text(
      "demand_journal", wal.demand_journal,
      "Directory in which every command is written down, refused ones too: for `usher_bench rehearse` and for why "
      "somebody did not get a seat; empty: off.");
  Section disk_section{keys, "disk"};
  disk_section.size("high_water", disk.high_water, 0, 1'024 * gibibyte,
                    "With less free space than this, new reservations are refused; the rest goes on.");
  disk_section.size("low_water", disk.low_water, 0, 1'024 * gibibyte,
                    "With less free space than this, nothing is written any more.");
}

void bind_identity(std::vector<Key>& keys, IdentityConfig& identity) {
  Section section{keys, "identity"};
  section.secret("hs256_secret", identity.hs256_secret,
                 "Shared secret of HS256 tokens; empty: one is made and kept in the data directory.");
  section.text("jwks_file", identity.jwks_file,
               "File with public keys (JWKS) for EdDSA and RS256 tokens; empty: none.");
  section.text("issuer", identity.issuer, "What `iss` of a token must be; empty: anything.");
  section.text("audience", identity.audience, "What `aud` of a token must contain; empty: anything.");
  section.flag("cookie_secure", identity.cookie_secure, "Whether the session cookie is for HTTPS only.");
}

void bind_policy(std::vector<Key>& keys, Policy& policy, QueueConfig& queue) {
  Section section{keys, "policy"};
  section.integer("seats_per_reservation", policy.seats_per_reservation, 1, limits::seats_per_request_max,
                  "Seats of one reservation.");
  section.integer("reservations_per_user_and_show", policy.reservations_per_user_and_show, 0, 255,
                  "Live reservations of one user on one show; 0: no limit.");
  section.duration("reservation_ttl", policy.reservation_ttl, Duration{1}, 7 * day, "How long a reservation lives.");
  section.duration("payment_grace", policy.payment_grace, none, day,
                   "How long a payment in flight pins its seats past the expiry.");
  section.duration("cooldown", policy.cooldown, none, 7 * day,
                   "How long a user who tripped one of the next two may not reserve on that show.");
  section.integer("cooldown_after_abandoned", policy.cooldown_after_abandoned, 0, 255,
                  "So many reservations left to expire start the cool-down; 0: off.");
  section.integer("cooldown_after_refusals", policy.cooldown_after_refusals, 0, 255,
                  "So many refused tries within a minute start the cool-down; 0: off.");
  section.choice("queue_order", queue.order, std::array<std::string_view, 2>{"arrival", "draw"},
                 "Order of a waiting room: by arrival, or drawn among those who came before its opening.");
  section.duration("admission_ttl", queue.admission_ttl, Duration{1'000}, day,
                   "How long the waiting room's token lets its owner reserve; unused, it is back to the tail once.");
  section.refund_tiers("refund_tiers", policy,
                       "Percent refunded by the time from cancellation to start; the first that fits decides.");
  section.choice("orphan_rule", policy.orphan_rule, std::array<std::string_view, 3>{"off", "best_available", "all"},
                 "Who may not leave a single seat alone: nobody is held to it, the server's own choice, or everyone.");
}

void bind_limits(std::vector<Key>& keys, LimitsConfig& limits) {
  Section section{keys, "limits"};
  section.integer("user_quota", limits.user_quota, 0, 1'000'000,
                  "Requests of one customer or session per user_window, all at once or spread; 0: no limit.");
  section.duration("user_window", limits.user_window, Duration{1'000}, day, "The window of user_quota.");
  section.integer("address_quota", limits.address_quota, 0, 1'000'000,
                  "Requests from one address (of IPv6: one /64) per address_window; 0: no limit.");
  section.duration("address_window", limits.address_window, Duration{1'000}, day, "The window of address_quota.");
  section.networks("exempt", limits.exempt,
                   "Addresses that address_quota does not count: one's own machines, and proxies that do not tell.");
}

void bind_payments(std::vector<Key>& keys, PaymentsConfig& payments) {
  Section section{keys, "payments"};
  section.duration("latency", payments.latency, none, Duration{std::chrono::hours{1}},
                   "How long the built-in gateway takes for a payment.");
  section.fraction("decline_rate", payments.decline_rate,
                   "Share of payments that the built-in gateway declines at random.");
  section.fraction("unknown_rate", payments.unknown_rate,
                   "Share of answers that the built-in gateway loses after it has decided.");
  section.integer("in_flight_max", payments.in_flight_max, 1, 1'000'000, "Payments and refunds under way at once.");
  section.flag("ledger", payments.ledger,
               "Whether the built-in gateway keeps its charges in the data directory, so that a crash forgets none.");
}

void bind_tickets(std::vector<Key>& keys, TicketsConfig& tickets) {
  Section section{keys, "tickets"};
  section.duration("valid_before", tickets.valid_before, none, 30 * day,
                   "How long before the start of its show a ticket opens a gate.");
  section.duration("valid_after", tickets.valid_after, none, 30 * day,
                   "How long after the end of its show a ticket still opens a gate.");
}

void bind_events(std::vector<Key>& keys, EventsConfig& events) {
  Section section{keys, "events"};
  section.size("tail_bytes", events.tail_bytes, mebibyte, 16 * gibibyte,
               "The newest part of the log that is kept in memory for those who follow GET /events.");
}

void bind_notify(std::vector<Key>& keys, NotifyConfig& notify) {
  Section section{keys, "notify"};
  section.text("smtp_url", notify.smtp_url, "Mail server, such as smtp://mail.example:587; empty: no mails.");
  section.text("smtp_user", notify.smtp_user, "Who logs in to the mail server; empty: nobody.");
  section.secret("smtp_password", notify.smtp_password, "With which password.");
  section.flag("smtp_tls", notify.smtp_tls, "Whether a mail server without TLS is refused.");
  section.text("mail_from", notify.mail_from, "Whom mails are from: an address.");
  section.duration("reminder_before", notify.reminder_before, none, 30 * day,
                   "How long before a show its guests are reminded by mail; 0: not at all.");
  section.urls("webhook_urls", notify.webhook_urls, "Who is told of bookings, cancellations, refunds and uses.");
  section.secret("webhook_secret", notify.webhook_secret,
                 "Key of their signatures, as Standard Webhooks writes it: whsec_...");
  section.text("sms_url", notify.sms_url, "Where messages to phones are posted; empty: none are sent.");
  section.secret("sms_secret", notify.sms_secret, "Key of their signatures.");
  section.flag("allow_private", notify.allow_private,
               "Whether webhooks and SMS may go to addresses that are not of the open internet.");
  section.integer("attempts_max", notify.attempts_max, 1, 1'000, "So many failed attempts, then an operator decides.");
  section.duration("first_wait", notify.first_wait, Duration{10}, day,
                   "The wait behind the first failed attempt; doubled each time, 10 min at most.");
}

void bind_feed(std::vector<Key>& keys, FeedConfig& feed) {
  Section section{keys, "feed"};
  section.duration("tick", feed.tick, Duration{10}, Duration{std::chrono::seconds{10}},
                   "How often the subscribers of a show are told what changed, at most.");
  section.integer("subscribers_max", feed.subscribers_max, 1, 1'000'000,
                  "Subscribers of the live feed at once; further ones are answered 503.");
  section.integer(
      "per_address_max", feed.per_address_max, 1, 1'000'000,
      "Subscribers from one address (IPv6: one network of 64 bits) at once; further ones are answered 429.");
  section.duration("ping_interval", feed.ping_interval, Duration{100}, Duration{std::chrono::hours{1}},
                   "How often a subscriber is pinged; one that says nothing for two of these is dropped.");
  section.duration("slow_timeout", feed.slow_timeout, Duration{100}, Duration{std::chrono::hours{1}},
                   "A subscriber that is behind for so long is dropped.");
  section.origins("allowed_origins", feed.allowed_origins,
                  "Web origins whose pages may open the feed, beside the server's own; \"*\" for all.");
}

void bind_relay(std::vector<Key>& keys, RelayConfig& relay) {
  Section section{keys, "relay"};
  section.text("upstream", relay.upstream,
               "Where `usher relay` has its shows from: the URL of a server, such as http://10.0.0.5:8080.");
  section.text("ca_file", relay.ca_file,
               "File with the certificates that an https upstream is believed by; empty: the system's.");
  section.duration("upstream_timeout", relay.upstream_timeout, Duration{100}, Duration{std::chrono::minutes{10}},
                   "An upstream that says nothing for so long, pings included, is taken for lost.");
  section.duration("stale_max", relay.stale_max, none, Duration{std::chrono::hours{1}},
                   "How long readers are kept while the upstream is lost; then they are closed with 1013.");
  section.integer("shows_max", relay.shows_max, 1, 1'000'000, "Shows followed at once; for further ones 503.");
}

void bind_log(std::vector<Key>& keys, LogConfig& log) {
  Section section{keys, "log"};
  section.choice("level", log.level, std::array<std::string_view, 5>{"trace", "debug", "info", "warn", "error"},
                 "The least important lines that are written.");
  section.choice("format", log.format, std::array<std::string_view, 2>{"text", "json"}, "How the lines look.");
}

}  // namespace

std::vector<Key> bind_keys(Config& config) {
  std::vector<Key> keys;
  bind_http(keys, config.http);
  bind_admin(keys, config.admin, config.metrics);
  bind_server(keys, config.server);
  bind_wal(keys, config.wal, config.disk);
  bind_identity(keys, config.identity);
  bind_policy(keys, config.policy, config.queue);
  bind_limits(keys, config.limits);
  bind_payments(keys, config.payments);
  bind_tickets(keys, config.tickets);
  bind_events(keys, config.events);
  bind_notify(keys, config.notify);
  bind_feed(keys, config.feed);
  bind_relay(keys, config.relay);
  bind_log(keys, config.log);
  return keys;
}

const Key* find_key(const std::vector<Key>& keys, std::string_view name) {
  for (const Key& key : keys) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

const Key& nearest_key(const std::vector<Key>& keys, std::string_view name) {
  USHER_ASSERT(!keys.empty());
  const Key* nearest = &keys.front();
  std::size_t distance = edit_distance(keys.front().name, name);
  for (const Key& key : keys) {
    const std::size_t other = edit_distance(key.name, name);
    if (other >= distance) continue;
    nearest = &key;
    distance = other;
  }
  return *nearest;
}

}  // namespace usher::server::config
