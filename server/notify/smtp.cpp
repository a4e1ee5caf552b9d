#include "server/notify/smtp.hpp"

#include <curl/curl.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>

namespace usher::server::notify {
namespace {

constexpr long timeout_s = 30;
/// base64 of so many bytes, with =?UTF-8?B? and ?=, stays within the 75 characters of a word.
constexpr std::size_t word_bytes_max = 45;

struct EasyFree {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
struct ListFree {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
struct MimeFree {
  void operator()(curl_mime* mime) const noexcept { curl_mime_free(mime); }
};
using List = std::unique_ptr<curl_slist, ListFree>;

void append(List& list, const std::string& line) {
  list.reset(curl_slist_append(list.release(), line.c_str()));
}

/// RFC 5322 section 3.3, in UTC.
[[nodiscard]] std::string date_text(Instant date) {
  const auto seconds = static_cast<std::time_t>(to_ms(date) / 1'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S +0000", &parts);
  return {text.data(), size};
}

void add_part(curl_mime* mime, const Attachment& attachment, bool attached) {
  curl_mimepart* part = curl_mime_addpart(mime);
  curl_mime_data(part, attachment.bytes.data(), attachment.bytes.size());
  curl_mime_type(part, attachment.type.c_str());
  curl_mime_encoder(part, attached ? "base64" : "quoted-printable");
  if (attached) curl_mime_filename(part, attachment.name.c_str());
}

}  // namespace

std::string encode_header(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 127; });
  if (plain) return std::string{text};
  std::string out;
  while (!text.empty()) {
    std::size_t size = std::min(text.size(), word_bytes_max);
    while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80U) --size;
    std::string word(4 * ((size + 2) / 3) + 1, '\0');
    const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(word.data()),
                                       reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(size));
    word.resize(static_cast<std::size_t>(length));
    out += (out.empty() ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?") + word + "?=";
    text.remove_prefix(size);
  }
  return out;
}

Outcome send_mail(const config::NotifyConfig& config, const Mail& mail) {
  const std::unique_ptr<CURL, EasyFree> curl{curl_easy_init()};
  if (!curl) return Outcome::retry("no memory");
  const std::unique_ptr<curl_mime, MimeFree> mime{curl_mime_init(curl.get())};
  add_part(mime.get(), {"", "text/plain; charset=utf-8", mail.text}, false);
  for (const Attachment& attachment : mail.attachments) add_part(mime.get(), attachment, true);
  List to;
  append(to, "<" + mail.to + ">");
  List fields;
  append(fields, "From: " + config.mail_from);
  append(fields, "To: " + mail.to);
  append(fields, "Subject: " + encode_header(mail.subject));
  append(fields, "Date: " + date_text(mail.date));
  append(fields, "Message-ID: <" + mail.id + "@usher>");
  append(fields, "Auto-Submitted: auto-generated");
  const std::string from = "<" + config.mail_from + ">";
  curl_easy_setopt(curl.get(), CURLOPT_URL, config.smtp_url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(curl.get(), CURLOPT_MAIL_FROM, from.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_MAIL_RCPT, to.get());
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, fields.get());
  curl_easy_setopt(curl.get(), CURLOPT_MIMEPOST, mime.get());
  curl_easy_setopt(curl.get(), CURLOPT_USE_SSL, config.smtp_tls ? long{CURLUSESSL_ALL} : long{CURLUSESSL_TRY});
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, timeout_s);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  if (!config.smtp_user.empty()) {
    curl_easy_setopt(curl.get(), CURLOPT_USERNAME, config.smtp_user.c_str());
    curl_easy_setopt(curl.get(), CURLOPT_PASSWORD, config.smtp_password.text.c_str());
  }
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_OK) return Outcome::done();
  long reply = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &reply);
  // not libcurl's own words: they may repeat the address
  std::string why = std::string(curl_easy_strerror(code)) + ", last reply " + std::to_string(reply);
  return reply >= 550 && reply <= 559 ? Outcome::give_up(std::move(why)) : Outcome::retry(std::move(why));
}

}  // namespace usher::server::notify
