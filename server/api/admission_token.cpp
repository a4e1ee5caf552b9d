#include "server/api/admission_token.hpp"

#include "usher/bytes.hpp"

namespace usher::server::api {
namespace {

constexpr std::string_view prefix = "UA1.";
constexpr std::size_t content_bytes = 28;
constexpr std::size_t tag_bytes = 16;

}  // namespace

std::string AdmissionSigner::tag(std::string_view content) const {
  const identity::Digest full =
      identity::hmac_sha256({reinterpret_cast<const char*>(key_.data()), key_.size()}, content);
  return {reinterpret_cast<const char*>(full.data()), tag_bytes};
}

std::string AdmissionSigner::sign(const Admission& admission, UserNumber user) const {
  Bytes bytes;
  ByteWriter out(bytes);
  out.fixed(admission.room);
  out.fixed(admission.sequence);
  out.fixed(admission.attempt);
  out.fixed(static_cast<std::uint64_t>(to_ms(admission.expires_at)));
  out.fixed(to_value(user));
  const std::string content(bytes.begin(), bytes.end());
  std::string token{prefix};
  identity::append_base64url(token, content + tag(content));
  return token;
}

std::optional<Admission> AdmissionSigner::verify(std::string_view token, UserNumber user) const {
  if (!token.starts_with(prefix)) return std::nullopt;
  const std::optional<std::string> bytes = identity::decode_base64url(token.substr(prefix.size()));
  if (!bytes || bytes->size() != content_bytes + tag_bytes) return std::nullopt;
  const std::string_view content = std::string_view{*bytes}.substr(0, content_bytes);
  if (!identity::equal_constant_time(tag(content), std::string_view{*bytes}.substr(content_bytes))) return std::nullopt;
  ByteReader in(content);
  Admission admission;
  admission.room = in.fixed<std::uint32_t>();
  admission.sequence = in.fixed<std::uint32_t>();
  admission.attempt = in.fixed<std::uint32_t>();
  admission.expires_at = instant_from_ms(static_cast<std::int64_t>(in.fixed<std::uint64_t>()));
  if (in.fixed<std::uint64_t>() != to_value(user)) return std::nullopt;
  return admission;
}

}  // namespace usher::server::api
