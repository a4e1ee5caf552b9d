#pragma once
/// The Ed25519 keys (RFC 8032) that tickets are signed with, in DIR/ticket-keys. Thread-safe: signing and checking run
/// on the work pool and on loops alike, a change swaps the whole list. A private key is never printed.
///
/// Rotation: a new key is listed at once and signs from its `active_from` on, so that gates which fetch
/// /.well-known/usher-keys.json now and then know it before they meet it. Old keys stay listed, since printed tickets
/// name them, until somebody retires them; a retired key's tickets are `unknown_key`, and are signed anew when their
/// owner next looks at them.
///
/// The first key of a directory is derived from its secret, so that a directory without the file (made by an earlier
/// version, or restored without it) has the same one again; later ones are random.
///
/// The file, one line per key, oldest first:  key KID ACTIVE_FROM_MS PRIVATE_HEX

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/json/writer.hpp"
#include "server/tickets/ticket_code.hpp"
#include "usher/result.hpp"

namespace usher::server::tickets {

/// In the order in which a gate checks (DESIGN 7).
enum class CodeCheck : std::uint8_t { good, bad_signature, unknown_key };

/// Keys for checking only: what /.well-known/usher-keys.json holds.
class PublicKeys {
 public:
  PublicKeys();
  ~PublicKeys();
  PublicKeys(PublicKeys&&) noexcept;
  PublicKeys& operator=(PublicKeys&&) noexcept;

  /// Reads the document of /.well-known/usher-keys.json. Returns: `invalid` with the place and the rule.
  [[nodiscard]] static Result<PublicKeys> parse(std::string_view json);

  /// What is not a code at all is `bad_signature`.
  [[nodiscard]] CodeCheck check(std::string_view code, TicketPayload& payload) const;
  /// Whether `signature` is one of that key over `message`.
  [[nodiscard]] bool verifies(std::uint32_t key, std::string_view message, std::string_view signature) const;

 private:
  friend class TicketKeys;
  struct Entry;
  [[nodiscard]] const Entry* find(std::uint32_t key) const noexcept;
  std::vector<Entry> entries_;
};

class TicketKeys {
 public:
  struct KeyInfo {
    std::uint32_t key = 0;
    Instant active_from{};
    std::string public_key;  ///< 32 bytes
  };

  /// Reads DIR/ticket-keys, or makes it. Returns: `corrupt` with the line, `invalid` when others may read it, `io`.
  [[nodiscard]] static Result<std::unique_ptr<TicketKeys>> open(const std::filesystem::path& directory,
                                                                std::string_view directory_secret);
  ~TicketKeys();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  /// The code of the payload, signed by the key that is active at `now`; `payload.key` is filled in. Takes about 30 us.
  [[nodiscard]] std::string sign(TicketPayload payload, Instant now) const;
  /// A signature over any text of ours, and who made it.
  struct Signature {
    std::uint32_t key = 0;
    std::string bytes;
  };
  [[nodiscard]] Signature sign_text(std::string_view text, Instant now) const;
  [[nodiscard]] CodeCheck check(std::string_view code, TicketPayload& payload) const;

  [[nodiscard]] std::vector<KeyInfo> list() const;
  /// The document of /.well-known/usher-keys.json: a JWK set (RFC 7517, RFC 8037).
  void write_public(json::Writer& json) const;

  /// Makes a key that signs from `active_from` on; durable when this returns. Returns: its number, or `io`.
  [[nodiscard]] Result<std::uint32_t> add(Instant active_from);
  /// Returns: `not_found`, `invalid` when it is the only one that is active at `now`, or `io`.
  [[nodiscard]] Status retire(std::uint32_t key, Instant now);

 private:
  struct Ring;
  TicketKeys(std::filesystem::path path, std::shared_ptr<const Ring> ring);
  [[nodiscard]] std::shared_ptr<const Ring> ring() const;
  [[nodiscard]] Status replace(std::shared_ptr<const Ring> ring);

  std::filesystem::path path_;
  mutable std::mutex mutex_;  ///< guards the pointer
  std::mutex changing_;       ///< one change at a time
  std::shared_ptr<const Ring> ring_;
};

}  // namespace usher::server::tickets
