#pragma once
/// SHA-256 of blobs, the links of the chain. One Sha256 per thread: it owns an OpenSSL context and reuses it, so that
/// a digest allocates nothing.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace usher::wal {

/// The SHA-256 of a shard's last blob; all zero before the first one.
using ChainHash = std::array<std::uint8_t, 32>;

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  [[nodiscard]] ChainHash digest(std::string_view bytes) noexcept;

 private:
  void* context_;    ///< EVP_MD_CTX
  void* algorithm_;  ///< EVP_MD, fetched once: fetching by name costs a lock and a lookup
};

/// The first 8 bytes in hex: enough for people to compare.
[[nodiscard]] std::string short_hex(const ChainHash& hash);

}  // namespace usher::wal
