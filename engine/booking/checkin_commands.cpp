/// The part of ShowActor that lets people in: a scan of a ticket at a gate. What the signature and the gate's place
/// say, the server has checked; what the sale says is decided here, in the order of ScanResult.

#include "engine/show/show_actor.hpp"

namespace usher::engine {
namespace {

constexpr std::uint32_t no_position = 32;

[[nodiscard]] std::uint32_t position_of(const Reservation& reservation, const Booking& booking, std::uint64_t random,
                                        ShowNumber show) noexcept {
  for (std::uint32_t at = 0; at < reservation.seat_count; ++at) {
    // as it is written in a UUID: 62 of the 64 bits and two more
    if (to_uuid(ticket_id(show, reservation.sequence, booking.ticket_random, at)) ==
        to_uuid(Id{IdKind::ticket, show, reservation.sequence, random})) {
      return at;
    }
  }
  return no_position;
}

/// What a scan is beside what is known of the ticket. Offline scans arrive late and in any order, so time decides, not
/// arrival: of two entries without an exit between them the earlier one stands.
enum class ScanKind : std::uint8_t { fresh, again, earlier, refused };

[[nodiscard]] ScanKind kind_of(const TicketUse* use, const Command& scan) noexcept {
  if (use == nullptr) return ScanKind::fresh;
  const bool entered = use->in_at != Instant{};
  const bool left = use->out_at != Instant{};
  if (scan.exit) {
    if (left && scan.random == use->out_nonce) return ScanKind::again;
    const bool outside = left && (!entered || use->out_at >= use->in_at);
    return !outside && (!entered || scan.scanned_at >= use->in_at) ? ScanKind::fresh : ScanKind::refused;
  }
  if (!entered) return ScanKind::fresh;
  if (scan.random == use->in_nonce) return ScanKind::again;
  const bool outside = left && use->out_at >= use->in_at;
  if (outside && scan.scanned_at > use->out_at) return ScanKind::fresh;  // back again
  const bool after_exit = !left || outside || scan.scanned_at > use->out_at;
  return scan.scanned_at < use->in_at && after_exit ? ScanKind::earlier : ScanKind::refused;
}

}  // namespace

void ShowActor::check_in(const Command& command, Reply& reply) {
  const SlabIndex found = state_.find_reservation(index_, command.sequence);
  const SlabIndex booking = found == 0 ? 0 : state_.reservations[found].booking;
  reply.scan = ScanResult::cancelled;  // signed by us, but no booking stands behind it
  if (booking == 0) return;
  const std::uint32_t position =
      position_of(state_.reservations[found], state_.bookings[booking], command.id_random, show_.number);
  if (position == no_position) return;
  fill(reply, found);
  reply.attempt = position;
  reply.payment_ref_size = 0;
  const bool gone = ((state_.bookings[booking].cancelled >> position) & 1U) != 0;
  if (gone || show_.status == ShowStatus::cancelled) return;
  const SlabIndex known = find_use(state_, state_.bookings[booking], position);
  const ScanKind kind = kind_of(known == 0 ? nullptr : &state_.uses[known], command);
  reply.scan = ScanResult::valid;
  reply.replayed = kind == ScanKind::again;
  if (kind == ScanKind::refused) reply.scan = ScanResult::already_used;
  if (kind == ScanKind::fresh || kind == ScanKind::earlier) {
    if (command.window != ScanResult::valid) {
      reply.scan = command.window;
      return;
    }
    emit_use(command, position);
    fill(reply, found);
    reply.attempt = position;
    reply.superseded = kind == ScanKind::earlier;
  }
  const TicketUse& use = state_.uses[find_use(state_, state_.bookings[booking], position)];
  reply.scanned_at = command.exit ? use.out_at : use.in_at;
  reply.payment_ref_size = use.gate_size;
  std::copy_n(use.gate.begin(), use.gate_size, reply.payment_ref.begin());
}

void ShowActor::emit_use(const Command& command, std::uint32_t position) {
  Event event{};
  event.type = EventType::ticket_used;
  event.sequence = command.sequence;
  event.mask = 1U << position;
  event.code = command.exit ? use_exit : use_entry;
  event.at = command.scanned_at;
  event.random = command.random;
  event.text_first = static_cast<std::uint32_t>(record_.payload.size());
  event.text_size = std::min<std::uint32_t>(command.payment_ref_size, limits::gate_id_bytes_max);
  record_.payload.insert(record_.payload.end(), command.payment_ref.begin(),
                         command.payment_ref.begin() + event.text_size);
  emit(event);
}

SlabIndex find_use(const ShardState& state, const Booking& booking, std::uint32_t position) noexcept {
  SlabIndex at = booking.uses;
  while (at != 0 && state.uses[at].position != position) at = state.uses[at].next;
  return at;
}

}  // namespace usher::engine
