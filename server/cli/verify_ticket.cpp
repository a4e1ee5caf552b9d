/// `usher verify-ticket`: checks a ticket's code with public keys from a file. Asks nobody and opens no log.

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

#include "server/catalog/zones.hpp"
#include "server/cli/commands.hpp"
#include "server/cli/logging.hpp"
#include "server/identity/crypto.hpp"
#include "server/json/reader.hpp"
#include "server/json/writer.hpp"
#include "server/shard_clock.hpp"
#include "server/tickets/ticket_keys.hpp"

namespace usher::server::cli {
namespace {

[[nodiscard]] Result<std::string> read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return make_error(ErrorCode::not_found, path + ": cannot be read");
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

using Revoked = std::set<std::string>;

/// Adds the tickets of one answer of GET /revocations, if it is signed by one of the keys.
[[nodiscard]] Status read_revocations(const std::string& path, const tickets::PublicKeys& keys, Revoked& revoked) {
  const Result<std::string> text = read_text(path);
  if (!text) return text.error();
  json::Reader reader;
  json::Object root = reader.parse_copy(text.value());
  std::string signed_text = "usher-revocations\n";
  signed_text += std::string(root.string("from", {0, 20'000})) + "\n";
  signed_text += std::string(root.string("next_cursor", {0, 20'000})) + "\n";
  json::Array list = root.array("tickets", 0, 1'000'000);
  std::vector<std::string> found;
  while (list.next()) {
    found.emplace_back(list.string({36, 36}));
    signed_text += found.back() + "\n";
  }
  const std::optional<std::uint32_t> key = tickets::parse_key(root.string("kid", {8, 8}));
  const std::optional<std::string> signature = identity::decode_base64url(root.string("signature", {1, 200}));
  if (!reader.ok()) return make_error(ErrorCode::invalid, path + ": " + std::string(reader.error()));
  if (!key || !signature || !keys.verifies(*key, signed_text, *signature)) {
    return make_error(ErrorCode::invalid, path + ": signature: is not one of these keys over this list");
  }
  revoked.insert(found.begin(), found.end());
  return Done{};
}

/// The gate's words (DESIGN 7), as far as they can be known without the sale.
[[nodiscard]] std::string_view verdict_of(tickets::CodeCheck check, const tickets::TicketPayload& payload, Instant at) {
  if (check == tickets::CodeCheck::bad_signature) return "bad_signature";
  if (check == tickets::CodeCheck::unknown_key) return "unknown_key";
  if (at < payload.valid_from) return "too_early";
  return at > payload.valid_until ? "too_late" : "valid";
}

void print(std::string_view verdict, tickets::CodeCheck check, const tickets::TicketPayload& payload) {
  json::TextBuffer text;
  json::Writer json(text);
  json.begin_object();
  json.field("result", verdict);
  if (check == tickets::CodeCheck::good) {
    json.key("ticket_id");
    json.uuid(payload.ticket);
    json.field("show_number", to_value(payload.show()));
    json.field("seat_id", payload.seat);
    json.field("valid_from", payload.valid_from);
    json.field("valid_until", payload.valid_until);
    json.field("kid", tickets::key_text(payload.key));
  }
  json.end_object();
  std::printf("%.*s\n", static_cast<int>(text.size()), text.data());
}

}  // namespace

int verify_ticket(const VerifyTicketOptions& options) {
  const Result<std::string> text = read_text(options.keys);
  if (!text) return fail(text.error());
  const Result<tickets::PublicKeys> keys = tickets::PublicKeys::parse(text.value());
  if (!keys) return fail(make_error(keys.error().code, options.keys + ": " + keys.error().detail));
  Instant at = instant_from_ms(system_clocks.wall_ns() / 1'000'000);
  if (options.at) {
    const std::optional<Instant> given = catalog::parse_instant(*options.at);
    if (!given) return fail(make_error(ErrorCode::invalid, "--at: must be a time such as 2026-11-24T18:30:00Z"));
    at = *given;
  }
  std::vector<std::string> codes = options.codes;
  if (codes.empty()) {
    for (std::string line; std::getline(std::cin, line);) {
      if (!line.empty()) codes.push_back(line);
    }
  }
  Revoked revoked;
  for (const std::string& path : options.revocations) {
    if (Status read = read_revocations(path, keys.value(), revoked); !read) return fail(read.error());
  }
  bool all_valid = true;
  for (const std::string& code : codes) {
    tickets::TicketPayload payload;
    const tickets::CodeCheck check = keys.value().check(code, payload);
    const bool gone = check == tickets::CodeCheck::good && revoked.contains(to_string(payload.ticket));
    const std::string_view verdict = gone ? "cancelled" : verdict_of(check, payload, at);
    print(verdict, check, payload);
    all_valid = all_valid && verdict == "valid";
  }
  return all_valid && !codes.empty() ? 0 : 1;
}

}  // namespace usher::server::cli
