#include "server/notify/delivery.hpp"

#include "usher/bytes.hpp"

namespace usher::server::notify {
namespace {

constexpr std::size_t text_bytes_max = 1U << 20U;

}  // namespace

SideWrite to_row(const Delivery& delivery) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.text(delivery.kind);
  out.text(delivery.target);
  out.text(delivery.body);
  out.varint(to_value(delivery.show));
  out.varint(delivery.sequence);
  out.varint(delivery.number);
  out.varint(static_cast<std::uint64_t>(to_ms(delivery.due)));
  out.varint(delivery.attempts);
  out.u8(delivery.dead ? 1 : 0);
  out.text(delivery.error);
  return {delivery_row + delivery.id, std::string(bytes.begin(), bytes.end())};
}

std::optional<Delivery> from_row(std::string_view key, std::string_view value) {
  ByteReader in(value);
  Delivery delivery;
  delivery.id = key.substr(1);
  delivery.kind = in.text(64);
  delivery.target = in.text(text_bytes_max);
  delivery.body = in.text(text_bytes_max);
  delivery.show = static_cast<ShowNumber>(in.varint_max(0xffffffffU));
  delivery.sequence = static_cast<std::uint32_t>(in.varint_max(0xffffffffU));
  delivery.number = static_cast<std::uint32_t>(in.varint_max(0xffffffffU));
  delivery.due = instant_from_ms(static_cast<std::int64_t>(in.varint_max(std::uint64_t{1} << 60U)));
  delivery.attempts = static_cast<std::uint32_t>(in.varint_max(0xffffffffU));
  delivery.dead = in.u8() != 0;
  delivery.error = in.text(text_bytes_max);
  if (!in.complete()) return std::nullopt;
  return delivery;
}

}  // namespace usher::server::notify
