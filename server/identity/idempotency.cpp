#include "server/identity/idempotency.hpp"

#include <algorithm>
#include <cstring>

namespace usher::server::identity {
namespace {

// Each part behind its length, so that no two lists of parts run into the same bytes.
void update_with_size(SipHasher& hasher, std::string_view part) noexcept {
  const auto size = static_cast<std::uint32_t>(part.size());
  hasher.update({reinterpret_cast<const char*>(&size), sizeof size});
  hasher.update(part);
}

}  // namespace

bool is_idempotency_key(std::string_view key) noexcept {
  return !key.empty() && key.size() <= 255 &&
         std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

IdempotencyTagger::IdempotencyTagger(const Key& key) noexcept {
  std::memcpy(&names_, key.data(), sizeof names_);
  std::memcpy(&bodies_, key.data() + sizeof names_, sizeof bodies_);
}

IdempotencyTag IdempotencyTagger::tag(UserNumber user, std::string_view method, std::string_view path,
                                      std::string_view key, std::string_view body) const noexcept {
  SipHasher names(names_, SipHasher::Kind::sip_2_4_128);
  const std::uint64_t number = to_value(user);
  names.update({reinterpret_cast<const char*>(&number), sizeof number});
  update_with_size(names, method);
  update_with_size(names, path);
  update_with_size(names, key);
  const SipDigest digest = names.finish();
  SipHasher bodies(bodies_, SipHasher::Kind::sip_2_4_64);
  bodies.update(body);
  IdempotencyTag tag;
  tag.key_high = digest.high;
  tag.key_low = (digest.high | digest.low) == 0 ? 1 : digest.low;
  tag.body = bodies.finish().low;
  return tag;
}

}  // namespace usher::server::identity
