#include "server/events/lsn_cursor.hpp"

#include "server/identity/crypto.hpp"
#include "usher/bytes.hpp"
#include "usher/limits.hpp"

namespace usher::server::events {
namespace {

constexpr std::uint8_t version = 1;

}  // namespace

std::string format_cursor(const LsnCursor& cursor) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.u8(version);
  out.varint(cursor.size());
  for (const Lsn lsn : cursor) out.varint(lsn);
  std::string text;
  identity::append_base64url(text, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return text;
}

std::optional<LsnCursor> parse_cursor(std::string_view text, std::size_t shard_count) {
  if (text.empty()) return LsnCursor(shard_count);
  if (text.size() > 16 * (limits::shards_max + 2)) return std::nullopt;
  const std::optional<std::string> bytes = identity::decode_base64url(text);
  if (!bytes) return std::nullopt;
  ByteReader in(std::string_view{*bytes});
  const bool known = in.u8() == version && in.varint() == shard_count;
  LsnCursor cursor(shard_count);
  for (Lsn& lsn : cursor) lsn = known ? in.varint() : 0;
  if (!known || !in.complete()) return std::nullopt;
  return cursor;
}

}  // namespace usher::server::events
