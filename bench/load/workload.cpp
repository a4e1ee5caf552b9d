#include "bench/load/workload.hpp"

#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "bench/load/tokens.hpp"

namespace usher::bench {

namespace {

/// "A1","A2" for each group of seats side by side.
std::vector<std::string> name_groups(const WorkloadOptions& options) {
  std::vector<std::string> groups;
  for (std::size_t row = 0; row < options.rows; ++row) {
    for (std::size_t first = 0; first + options.seats <= options.row_seats; first += options.seats) {
      std::string names;
      for (std::size_t i = 0; i < options.seats; ++i) {
        if (i > 0) names += ',';
        names += '"';
        names += static_cast<char>('A' + row);
        names += std::to_string(first + i + 1) + "\"";
      }
      groups.push_back(std::move(names));
    }
  }
  return groups;
}

/// A step through the shows that visits each once and whose neighbours lie far apart.
std::size_t coprime_stride(std::size_t count) {
  std::size_t stride = 7'919;
  while (std::gcd(stride, count) != 1) ++stride;
  return stride;
}

}  // namespace

Workload::Workload(const WorkloadOptions& options) : options_(options), seat_names_(name_groups(options)) {
  if (seat_names_.empty() || options.rows > 26 || options.shows < options.hot_shows || options.hot_shows == 0 ||
      options.users < seat_names_.size()) {
    std::fprintf(stderr, "usher_load: needs shows, 1 to 26 rows, and no fewer users than groups of seats in a show\n");
    std::exit(2);
  }
  for (std::size_t i = 0; i < options.shows; ++i) {
    char id[64];
    std::snprintf(id, sizeof id, "%s%05zu", options.show_prefix.c_str(), i);
    show_ids_.emplace_back(id);
    const bool get = options.mode == Mode::seats;
    heads_.push_back((get ? "GET /shows/" : "POST /shows/") + show_ids_.back() + (get ? "/seats" : "/reserve") +
                     " HTTP/1.1\r\nHost: 127.0.0.1\r\n");
  }
  for (const std::string& names : seat_names_) {
    const std::string body = "{\"seat_ids\":[" + names + "]}";
    bodies_.push_back("Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                      body);
  }
  partner_token_ = "Authorization: Bearer " + make_token(options.secret, "load-partner", "partner") + "\r\n";
  for (const std::string& token : make_tokens(options.secret, options.users)) {
    tokens_.push_back("Authorization: Bearer " + token + "\r\n");
  }
}

std::uint64_t Workload::size() const noexcept {
  if (options_.mode == Mode::reserve) return std::uint64_t{show_ids_.size()} * seat_names_.size();
  if (options_.mode == Mode::race) return options_.users;
  if (options_.mode == Mode::commands) return std::uint64_t{show_ids_.size()} * seat_names_.size() / options_.batch;
  return ~std::uint64_t{0};
}

Workload::Step Workload::step(std::uint64_t number) const noexcept {
  const std::size_t groups = seat_names_.size();
  if (options_.mode == Mode::race) {
    return {0, static_cast<std::size_t>(number) % groups, static_cast<std::size_t>(number) % options_.users};
  }
  static thread_local std::size_t stride = 0;
  if (stride == 0) stride = coprime_stride(options_.shows);
  const auto show = static_cast<std::size_t>((number * stride) % options_.shows);
  const auto group = static_cast<std::size_t>((number / options_.shows) % groups);
  // users / groups apart: the groups of one show have different users, whatever the show
  return {show, group, (show * 31U + group * (options_.users / groups)) % options_.users};
}

void Workload::append_reserve(const Step& at, std::string& out) const {
  out += heads_[at.show];
  out += tokens_[at.user];
  out += bodies_[at.group];
}

void Workload::append(std::uint64_t number, std::string& out) const {
  const Step at = step(number);
  if (options_.mode == Mode::commands) return append_batch(number, out);
  if (options_.mode != Mode::seats) return append_reserve(at, out);
  out += heads_[at.show];
  out += "\r\n";
}

void Workload::append_batch(std::uint64_t number, std::string& out) const {
  static thread_local std::string lines;
  lines.clear();
  for (std::uint64_t i = 0; i < options_.batch; ++i) {
    const Step at = step(number * options_.batch + i);
    lines += R"({"command":"reserve","show_id":")";
    lines += show_ids_[at.show];
    lines += R"(","seat_ids":[)";
    lines += seat_names_[at.group];
    lines += R"(],"user_id":"load-)";
    lines += std::to_string(at.user);
    lines += "\"}\n";
  }
  out += "POST /commands HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n";
  out += partner_token_;
  out += "Content-Length: " + std::to_string(lines.size()) + "\r\n\r\n";
  out += lines;
}

std::uint64_t Workload::hot_number(std::size_t connection, std::uint64_t visit) const noexcept {
  const std::uint64_t show = (connection * 7'919U + visit * 104'729U) % options_.hot_shows;
  return show * seat_names_.size() + connection % seat_names_.size();
}

Workload::Step Workload::hot_step(std::uint64_t number) const noexcept {
  const std::size_t group = static_cast<std::size_t>(number) % seat_names_.size();
  return {static_cast<std::size_t>(number) / seat_names_.size(), group, group};
}

void Workload::append_hot(std::size_t connection, std::uint64_t visit, std::string& out) const {
  append_reserve(hot_step(hot_number(connection, visit)), out);
}

void Workload::append_delete(std::size_t connection, std::string_view reservation_id, std::string& out) const {
  out += "DELETE /reservations/";
  out += reservation_id;
  out += " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
  out += tokens_[connection % seat_names_.size()];
  out += "\r\n";
}

RequestNames Workload::names(std::uint64_t number) const {
  const Step at = options_.mode == Mode::hot ? hot_step(number) : step(number);
  return {show_ids_[at.show], seat_names_[at.group], at.user};
}

}  // namespace usher::bench
