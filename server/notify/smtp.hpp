#pragma once
/// One mail by SMTP (RFC 5321), by libcurl. Blocking: for a courier's thread.

#include <string>
#include <vector>

#include "server/config/config.hpp"
#include "server/notify/delivery.hpp"

namespace usher::server::notify {

struct Attachment {
  std::string name;
  std::string type;
  std::string bytes;
};
struct Mail {
  std::string id;       ///< Message-ID, the same at each attempt, so that a mailbox may see that it has it already
  std::string to;       ///< one that is_email()
  std::string subject;  ///< UTF-8
  std::string text;     ///< UTF-8
  std::vector<Attachment> attachments;
  Instant date{};
};

/// RFC 2047: as it is where it is ASCII, else in base64 words of at most 75 characters.
[[nodiscard]] std::string encode_header(std::string_view text);

/// 5xx for the recipient is given up, all else is tried again. The error names no person.
[[nodiscard]] Outcome send_mail(const config::NotifyConfig& config, const Mail& mail);

}  // namespace usher::server::notify
