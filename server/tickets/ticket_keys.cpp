#include "server/tickets/ticket_keys.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>

#include "server/identity/crypto.hpp"
#include "server/json/reader.hpp"
#include "usher/assert.hpp"

namespace usher::server::tickets {
namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t keys_max = 64;
constexpr std::string_view file_name = "ticket-keys";

struct KeyFree {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
using KeyPointer = std::shared_ptr<EVP_PKEY>;

const unsigned char* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const unsigned char*>(text.data());
}

[[nodiscard]] KeyPointer public_key_of(std::string_view bytes) {
  return {EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(bytes), bytes.size()), KeyFree{}};
}
[[nodiscard]] KeyPointer private_key_of(std::string_view seed) {
  return {EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes_of(seed), seed.size()), KeyFree{}};
}

[[nodiscard]] std::string raw_public(EVP_PKEY* key) {
  std::string bytes(key_bytes, '\0');
  std::size_t size = bytes.size();
  const int got = EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(bytes.data()), &size);
  USHER_ASSERT(got == 1 && size == key_bytes);
  return bytes;
}

/// The first 4 bytes of the SHA-256 of the public key: nobody has to count keys.
[[nodiscard]] std::uint32_t number_of(std::string_view public_key) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  const int made = EVP_Digest(public_key.data(), public_key.size(), digest.data(), &size, EVP_sha256(), nullptr);
  USHER_ASSERT(made == 1);
  return std::uint32_t{digest[0]} << 24U | std::uint32_t{digest[1]} << 16U | std::uint32_t{digest[2]} << 8U | digest[3];
}

[[nodiscard]] bool verify(EVP_PKEY* key, std::string_view message, std::string_view signature) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
  if (!context || EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key) != 1) return false;
  const int good =
      EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message), message.size());
  if (good != 1) ERR_clear_error();
  return good == 1;
}

[[nodiscard]] std::string to_hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return text;
}

[[nodiscard]] std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() != 2 * key_bytes) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data() + i, text.data() + i + 2, value, 16);
    if (error != std::errc{} || end != text.data() + i + 2) return std::nullopt;
    bytes.push_back(static_cast<char>(value));
  }
  return bytes;
}

[[nodiscard]] Error io_error(const std::filesystem::path& path, const char* what) {
  return make_error(ErrorCode::io, fmt::format("{}: cannot {}: {}", path.string(), what, std::strerror(errno)));
}

/// Another file under that name, all or nothing, synced.
[[nodiscard]] Status write_file(const std::filesystem::path& path, std::string_view text) {
  const std::string fresh = path.string() + ".new";
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return io_error(fresh, "create");
  bool good = true;
  while (good && !text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    good = written > 0 || (written < 0 && errno == EINTR);
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
  good = good && ::fsync(fd) == 0;
  ::close(fd);
  if (!good || ::rename(fresh.c_str(), path.c_str()) != 0) return io_error(path, "write");
  const int folder = ::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = folder >= 0 && ::fsync(folder) == 0;
  if (folder >= 0) ::close(folder);
  if (!synced) return io_error(path, "sync");
  return Done{};
}

}  // namespace

// ---- public keys ----

struct PublicKeys::Entry {
  std::uint32_t key = 0;
  KeyPointer pointer;
};

PublicKeys::PublicKeys() = default;
PublicKeys::~PublicKeys() = default;
PublicKeys::PublicKeys(PublicKeys&&) noexcept = default;
PublicKeys& PublicKeys::operator=(PublicKeys&&) noexcept = default;

const PublicKeys::Entry* PublicKeys::find(std::uint32_t key) const noexcept {
  for (const Entry& entry : entries_) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

Result<PublicKeys> PublicKeys::parse(std::string_view text) {
  PublicKeys keys;
  json::Reader reader;
  json::Object root = reader.parse_copy(text);
  json::Array list = root.array("keys", 0, keys_max);
  while (list.next()) {
    json::Object jwk = list.object();
    const std::optional<std::uint32_t> number = parse_key(jwk.string("kid", {1, 255}));
    const std::optional<std::string> bytes = identity::decode_base64url(jwk.string("x", {1, 255}));
    if (!jwk.present()) continue;
    if (!number) jwk.fail("kid", "must be 8 hex digits");
    if (jwk.string("kty", {1, 16}) != "OKP" || jwk.string("crv", {1, 16}) != "Ed25519") {
      jwk.fail("crv", "must be Ed25519, and kty OKP");
    }
    if (!bytes || bytes->size() != key_bytes) {
      jwk.fail("x", "must be 32 bytes in base64url");
    } else if (number) {
      keys.entries_.push_back({*number, public_key_of(*bytes)});
    }
  }
  if (!reader.ok()) return make_error(ErrorCode::invalid, std::string{reader.error()});
  return keys;
}

CodeCheck PublicKeys::check(std::string_view code, TicketPayload& payload) const {
  const std::optional<ParsedCode> parsed = parse_code(code);
  if (!parsed) return CodeCheck::bad_signature;
  payload = parsed->payload;
  if (find(payload.key) == nullptr) return CodeCheck::unknown_key;
  return verifies(payload.key, parsed->payload_bytes, parsed->signature) ? CodeCheck::good : CodeCheck::bad_signature;
}

bool PublicKeys::verifies(std::uint32_t key, std::string_view message, std::string_view signature) const {
  const Entry* entry = find(key);
  return entry != nullptr && entry->pointer != nullptr && verify(entry->pointer.get(), message, signature);
}

// ---- all keys ----

struct TicketKeys::Ring {
  struct Entry {
    KeyInfo info;
    std::string seed;
    KeyPointer pointer;
  };
  std::vector<Entry> entries;  ///< in the order of the file
  PublicKeys public_keys;

  void add(std::string seed, Instant active_from) {
    KeyPointer pointer = private_key_of(seed);
    USHER_ASSERT(pointer != nullptr);
    std::string public_key = raw_public(pointer.get());
    const std::uint32_t number = number_of(public_key);
    public_keys.entries_.push_back({number, public_key_of(public_key)});
    entries.push_back({{number, active_from, std::move(public_key)}, std::move(seed), std::move(pointer)});
  }
  /// The youngest that is active; the first where none is yet.
  [[nodiscard]] const Entry& active(Instant now) const {
    const Entry* best = &entries.front();
    for (const Entry& entry : entries) {
      if (entry.info.active_from <= now && entry.info.active_from >= best->info.active_from) best = &entry;
    }
    return *best;
  }
  [[nodiscard]] std::string text() const {
    std::string lines = "# The private keys of this data directory's tickets. Keep them with its backups.\n";
    for (const Entry& entry : entries) {
      lines +=
          fmt::format("key {} {} {}\n", key_text(entry.info.key), to_ms(entry.info.active_from), to_hex(entry.seed));
    }
    return lines;
  }
  [[nodiscard]] bool read_line(std::string_view line) {
    if (line.empty() || line.starts_with('#')) return true;
    if (!line.starts_with("key ") || line.size() < 13 || line[12] != ' ') return false;
    const std::string_view rest = line.substr(13);
    const std::size_t space = rest.find(' ');
    if (space == std::string_view::npos) return false;
    std::int64_t from_ms = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + space, from_ms);
    const std::optional<std::string> seed = from_hex(rest.substr(space + 1));
    if (error != std::errc{} || end != rest.data() + space || !seed || entries.size() == keys_max) return false;
    add(*seed, instant_from_ms(from_ms));
    return parse_key(line.substr(4, 8)) == entries.back().info.key;
  }
  [[nodiscard]] std::shared_ptr<Ring> copy_without(std::optional<std::uint32_t> key) const {
    auto copy = std::make_shared<Ring>();
    for (const Entry& entry : entries) {
      if (entry.info.key != key) copy->add(entry.seed, entry.info.active_from);
    }
    return copy;
  }
};

TicketKeys::TicketKeys(std::filesystem::path path, std::shared_ptr<const Ring> ring)
    : path_(std::move(path)), ring_(std::move(ring)) {}
TicketKeys::~TicketKeys() = default;

Result<std::unique_ptr<TicketKeys>> TicketKeys::open(const std::filesystem::path& directory,
                                                     std::string_view directory_secret) {
  const std::filesystem::path path = directory / file_name;
  auto ring = std::make_shared<Ring>();
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) {
    if (errno != ENOENT) return io_error(path, "read");
    const identity::Digest seed = identity::hmac_sha256(directory_secret, "usher ticket key 1");
    ring->add({reinterpret_cast<const char*>(seed.data()), seed.size()}, Instant{});
    if (Status written = write_file(path, ring->text()); !written) return written.error();
  } else {
    if ((facts.st_mode & 077U) != 0) {
      return make_error(ErrorCode::invalid, path.string() + ": others than the owner may read it: chmod 600");
    }
    std::ifstream in(path);
    std::string line;
    for (int number = 1; std::getline(in, line); ++number) {
      if (ring->read_line(line)) continue;
      return make_error(ErrorCode::corrupt,
                        fmt::format("{}:{}: must be: key KID ACTIVE_FROM_MS PRIVATE_HEX", path.string(), number));
    }
    if (ring->entries.empty()) return make_error(ErrorCode::corrupt, path.string() + ": holds no key");
  }
  return std::unique_ptr<TicketKeys>(new TicketKeys(path, std::move(ring)));
}

std::shared_ptr<const TicketKeys::Ring> TicketKeys::ring() const {
  const std::lock_guard lock(mutex_);
  return ring_;
}

Status TicketKeys::replace(std::shared_ptr<const Ring> ring) {
  if (Status written = write_file(path_, ring->text()); !written) return written;
  const std::lock_guard lock(mutex_);
  ring_ = std::move(ring);
  return Done{};
}

TicketKeys::Signature TicketKeys::sign_text(std::string_view text, Instant now) const {
  const std::shared_ptr<const Ring> keys = ring();
  const Ring::Entry& entry = keys->active(now);
  Signature signature{entry.info.key, std::string(signature_bytes, '\0')};
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
  std::size_t size = signature_bytes;
  const bool made = context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, entry.pointer.get()) == 1 &&
                    EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.bytes.data()), &size,
                                   bytes_of(text), text.size()) == 1;
  USHER_ASSERT(made);  // fails for want of memory only
  return signature;
}

std::string TicketKeys::sign(TicketPayload payload, Instant now) const {
  // the payload names its key, so the key is chosen before it is encoded; a change in between only means another round
  for (;;) {
    payload.key = ring()->active(now).info.key;
    const std::string bytes = encode_payload(payload);
    const Signature signature = sign_text(bytes, now);
    if (signature.key == payload.key) return format_code(bytes, signature.bytes);
  }
}

CodeCheck TicketKeys::check(std::string_view code, TicketPayload& payload) const {
  return ring()->public_keys.check(code, payload);
}

std::vector<TicketKeys::KeyInfo> TicketKeys::list() const {
  std::vector<KeyInfo> infos;
  for (const Ring::Entry& entry : ring()->entries) infos.push_back(entry.info);
  return infos;
}

void TicketKeys::write_public(json::Writer& json) const {
  json.begin_object();
  json.key("keys");
  json.begin_array();
  for (const KeyInfo& info : list()) {
    std::string x;
    identity::append_base64url(x, info.public_key);
    json.begin_object();
    json.field("kty", "OKP");
    json.field("crv", "Ed25519");
    json.field("kid", key_text(info.key));
    json.field("use", "sig");
    json.field("alg", "EdDSA");
    json.field("x", x);
    json.field("active_from", info.active_from);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

Result<std::uint32_t> TicketKeys::add(Instant active_from) {
  const std::lock_guard changing(changing_);
  const std::shared_ptr<const Ring> old = ring();
  if (old->entries.size() == keys_max) {
    return make_error(ErrorCode::invalid, fmt::format("there are {} keys: retire one first", keys_max));
  }
  std::shared_ptr<Ring> next = old->copy_without(std::nullopt);
  std::string seed(key_bytes, '\0');
  identity::fill_random(seed.data(), seed.size());
  next->add(std::move(seed), active_from);
  const std::uint32_t number = next->entries.back().info.key;
  if (Status replaced = replace(std::move(next)); !replaced) return replaced.error();
  return number;
}

Status TicketKeys::retire(std::uint32_t key, Instant now) {
  const std::lock_guard changing(changing_);
  const std::shared_ptr<const Ring> old = ring();
  std::shared_ptr<Ring> next = old->copy_without(key);
  if (next->entries.size() == old->entries.size()) return make_error(ErrorCode::not_found, "no key has this number");
  const bool any_active = std::any_of(next->entries.begin(), next->entries.end(),
                                      [&](const Ring::Entry& entry) { return entry.info.active_from <= now; });
  if (!any_active) return make_error(ErrorCode::invalid, "no other key is active yet: add one first");
  return replace(std::move(next));
}

}  // namespace usher::server::tickets
