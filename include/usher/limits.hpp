#pragma once
/// Every hard limit of the engine and the log with its reason. What operators may tune is a setting (see policy.hpp);
/// these are the bounds of the settings.

#include <cstddef>
#include <cstdint>

namespace usher::limits {

/// A seat index is 16 bits and 65,535 is kept free as "none".
inline constexpr std::size_t seats_per_show_max = 65'535;
/// Seats of one request: the record, the mask of cancelled seats (32 bits) and the reservation (two cache lines) fit
/// it.
inline constexpr std::size_t seats_per_request_max = 32;
/// Longest seat label ("F12", "BALC-112"), in bytes: fits the small-string buffer of every standard library.
inline constexpr std::size_t seat_label_bytes_max = 15;
/// Longest id that an import may give to a show, movie, theater or screen, in bytes.
inline constexpr std::size_t external_id_bytes_max = 64;
/// Longest id a payment gateway may give to a payment (Stripe's are 27), in bytes.
inline constexpr std::size_t payment_ref_bytes_max = 47;
/// What a partner calls a customer of its own.
inline constexpr std::size_t customer_name_bytes_max = 128;
/// Logical shards: the index is stored in one byte of the log's keys' printed form and a table of all shards stays
/// below a page. The system shard (catalog) comes on top.
inline constexpr std::size_t shards_max = 1'024;
inline constexpr std::size_t shards_default = 64;
/// 24 bits of the id; sequences wrap and skip those that are in use.
inline constexpr std::uint32_t sequence_max = (1U << 24U) - 1U;
/// Events that are not the answer to a command (expiries, refunds of a cancelled show) come at most so many per record,
/// so that no record takes a loop away from the sale for longer than about 20 us.
inline constexpr std::size_t bulk_events_per_record_max = 100;
/// One blob of the log, header included. RocksDB syncs 512 kB in about 1 ms; 8 MiB is what an import may need.
inline constexpr std::size_t blob_bytes_max = 8U * 1024U * 1024U;
/// A record's payload (a layout of 65,535 seats is about 1.2 MB).
inline constexpr std::size_t record_bytes_max = 4U * 1024U * 1024U;
/// Gathered but unsealed bytes of one loop beyond which new work is refused with `log_behind`: 8 rounds of 1 MiB.
inline constexpr std::size_t gathered_bytes_max = 8U * 1024U * 1024U;
/// Idempotency keys of one user that live at once in one shard (DESIGN 6).
inline constexpr std::size_t idempotency_keys_per_user_max = 100;
/// Longest id of a gate, in bytes: it stands in every use of a ticket.
inline constexpr std::size_t gate_id_bytes_max = 32;
/// Refund tiers of one policy.
inline constexpr std::size_t refund_tiers_max = 4;

}  // namespace usher::limits
