#include "server/api/saga.hpp"

#include <algorithm>

#include "usher/assert.hpp"
#include "usher/mutant.hpp"

namespace usher::server::api {
namespace {

/// Waits between two questions about the same payment: 1 s, doubled each time, 5 min at most.
[[nodiscard]] Duration backoff(std::uint32_t tries) noexcept {
  return std::min<Duration>(std::chrono::seconds{1} * (1U << std::min(tries, 9U)), std::chrono::minutes{5});
}

}  // namespace

Saga::Saga(engine::AgentRunner& runner, const engine::ShowDirectory& directory, payments::PaymentGateway& gateway,
           metrics::LoopMetrics& metrics, Random random, Answer answer)
    : runner_(runner),
      directory_(directory),
      gateway_(gateway),
      metrics_(metrics),
      random_(std::move(random)),
      answer_(std::move(answer)) {}

// ---- entries ----

std::uint32_t Saga::take() {
  if (!free_.empty()) {
    const std::uint32_t index = free_.back();
    free_.pop_back();
    return index;
  }
  entries_.emplace_back();
  return static_cast<std::uint32_t>(entries_.size() - 1);
}

void Saga::release(std::uint32_t index) {
  Entry& entry = entries_[index];
  if (entry.has_client) --clients_waiting_;
  const std::uint32_t generation = entry.generation + 1;
  entry = Entry{};
  entry.generation = generation;
  free_.push_back(index);
}

ReplyTo Saga::reply_to(std::uint32_t index) const noexcept {
  return {runner_.loop(), connection, entries_[index].generation, index};
}

std::string Saga::payment_key(const Entry& entry) const {
  return to_string(entry.id) + "-" + std::to_string(entry.attempt);
}

void Saga::submit(std::uint32_t index, Command command) {
  Entry& entry = entries_[index];
  command.show = entry.id.show;
  command.sequence = entry.id.sequence;
  command.id_random = entry.id.random;
  command.attempt = entry.attempt;
  command.staff = true;  // whose reservation it is was decided when the payment began
  command.user = entry.user;
  command.reply = reply_to(index);
  const engine::ShowDirectory::Entry* show = directory_.find(entry.id.show);
  USHER_ASSERT(show != nullptr);
  if (!runner_.submit(command, show->shard.load(std::memory_order_relaxed))) retry_later(index);
}

void Saga::answer_client(std::uint32_t index, const Reply& reply) {
  Entry& entry = entries_[index];
  if (!entry.has_client) return;
  entry.has_client = false;
  --clients_waiting_;
  answer_(entry.client, reply);
}

void Saga::retry_later(std::uint32_t index) {
  Entry& entry = entries_[index];
  entry.stage = Stage::waiting;
  entry.due = runner_.now() + backoff(entry.tries++);
  waiting_.push_back(index);
}

// ---- payments ----

bool Saga::pay(const ReplyTo& client, const Command& start, std::string_view token) {
  const engine::ShowDirectory::Entry* show = directory_.find(start.show);
  if (show == nullptr || under_way() >= entries_max) return false;
  const std::uint32_t index = take();
  Entry& entry = entries_[index];
  entry.stage = Stage::starting;
  entry.has_client = true;
  ++clients_waiting_;
  entry.client = client;
  entry.id = {IdKind::reservation, start.show, start.sequence, start.id_random};
  entry.user = start.user;
  entry.text = token;
  Command command = start;
  command.reply = reply_to(index);
  if (runner_.submit(command, show->shard.load(std::memory_order_relaxed))) return true;
  entry.has_client = false;
  --clients_waiting_;
  release(index);
  return false;
}

void Saga::on_reply(const Reply& reply) {
  const std::uint32_t index = reply.to.slot;
  if (index >= entries_.size() || entries_[index].generation != reply.to.generation) return;
  switch (entries_[index].stage) {
    case Stage::starting:
      if (reply.refusal != Refusal::none || reply.replayed) {
        answer_client(index, reply);
        release(index);
        return;
      }
      entries_[index].attempt = reply.attempt;
      entries_[index].amount = reply.total;
      return charge(index);
    case Stage::finishing: {
      // an overloaded loop has not taken the gateway's word: say it again
      const std::uint16_t status = describe(reply.refusal).status;
      if (reply.refusal != Refusal::none && status == 503) return retry_later(index);
      answer_client(index, reply);
      return release(index);
    }
    case Stage::refund_finishing:
      if (reply.refusal != Refusal::none && describe(reply.refusal).status == 503) return retry_later(index);
      metrics_.refunds_settled.add();
      return release(index);
    default:
      return;
  }
}

void Saga::charge(std::uint32_t index) {
  Entry& entry = entries_[index];
  entry.stage = Stage::charging;
  payments::PaymentRequest request;
  request.idempotency_key = payment_key(entry);
  request.amount = entry.amount;
  request.token = std::move(entry.text);
  request.metadata = {to_string(entry.id), entry.attempt};
  entry.text.clear();
  gateway_.create(std::move(request), payment_callback(index));
}

void Saga::ask(std::uint32_t index) {
  entries_[index].stage = Stage::charging;
  gateway_.retrieve(payment_key(entries_[index]), payment_callback(index));
}

payments::PaymentCallback Saga::payment_callback(std::uint32_t index) {
  // the gateway may answer on any thread: back to this loop first
  return [this, index, generation = entries_[index].generation](const payments::PaymentResult& result) {
    runner_.post([this, index, generation, result] { on_payment(index, generation, result); });
  };
}

void Saga::on_payment(std::uint32_t index, std::uint32_t generation, const payments::PaymentResult& result) {
  if (entries_[index].generation != generation || entries_[index].stage != Stage::charging) return;
  Command command;
  command.type = CommandType::finish_payment;
  const bool fits = result.payment_id.size() <= limits::payment_ref_bytes_max;
  switch (result.status) {
    case payments::PaymentStatus::captured:
      if (!fits) break;  // not a word that we can keep: ask again
      command.payment = PaymentOutcome::captured;
      std::copy(result.payment_id.begin(), result.payment_id.end(), command.payment_ref.begin());
      command.payment_ref_size = static_cast<std::uint8_t>(result.payment_id.size());
      command.random = random_();
      entries_[index].stage = Stage::finishing;
      return submit(index, command);
    case payments::PaymentStatus::declined:
      command.payment = PaymentOutcome::declined;
      command.decline = result.decline;
      metrics_.payments_declined.add();
      entries_[index].stage = Stage::finishing;
      return submit(index, command);
    case payments::PaymentStatus::unknown:
      if (USHER_MUTANT(25, "an unknown outcome is taken for a decline")) {
        command.payment = PaymentOutcome::declined;
        entries_[index].stage = Stage::finishing;
        return submit(index, command);
      }
      break;
    case payments::PaymentStatus::requires_action:
      break;
  }
  // the client hears 202 now and finds the outcome in its bookings; we ask until the gateway tells
  metrics_.payments_unknown.add();
  Reply unknown;
  unknown.type = CommandType::start_payment;
  unknown.state = ReservationState::paying;
  unknown.show = entries_[index].id.show;
  unknown.sequence = entries_[index].id.sequence;
  unknown.id_random = entries_[index].id.random;
  unknown.now = runner_.now();
  answer_client(index, unknown);
  retry_later(index);
}

// ---- refunds ----

void Saga::refund(const engine::OwedRefund& owed) {
  if (under_way() >= entries_max) return backlog_.push_back(owed);
  const std::uint32_t index = take();
  Entry& entry = entries_[index];
  entry.is_refund = true;
  entry.id = owed.booking;
  entry.attempt = owed.number;
  entry.amount = owed.amount;
  entry.text = owed.payment_ref;
  send_refund(index);
}

void Saga::send_refund(std::uint32_t index) {
  Entry& entry = entries_[index];
  entry.stage = Stage::refunding;
  payments::RefundRequest request{to_string(entry.id) + "-refund-" + std::to_string(entry.attempt), entry.text,
                                  entry.amount.amount};
  gateway_.refund(std::move(request),
                  [this, index, generation = entry.generation](const payments::RefundResult& result) {
                    runner_.post([this, index, generation, result] { on_refund(index, generation, result); });
                  });
}

void Saga::on_refund(std::uint32_t index, std::uint32_t generation, const payments::RefundResult& result) {
  if (entries_[index].generation != generation || entries_[index].stage != Stage::refunding) return;
  if (result.status == payments::RefundStatus::unknown) {
    return USHER_MUTANT(22, "a refund is not asked for again") ? release(index) : retry_later(index);
  }
  Command command;
  command.type = CommandType::finish_refund;
  command.refund_settled = result.status == payments::RefundStatus::settled;
  entries_[index].stage = Stage::refund_finishing;
  submit(index, command);
}

// ---- time ----

void Saga::resume() {
  std::vector<engine::UnfinishedPayment> payments;
  std::vector<engine::OwedRefund> refunds;
  for (const engine::Shard* shard : runner_.shards()) shard->unfinished(payments, refunds);
  for (const engine::UnfinishedPayment& payment : payments) {
    const std::uint32_t index = take();
    entries_[index].id = payment.reservation;
    entries_[index].attempt = payment.attempt;
    if (!USHER_MUTANT(24, "a restart forgets payments")) ask(index);
  }
  for (const engine::OwedRefund& owed : refunds) {
    if (!USHER_MUTANT(23, "a restart forgets refunds")) refund(owed);
  }
}

void Saga::tick(Instant now) {
  for (engine::Shard* shard : runner_.shards()) shard->take_owed(owed_);
  for (const engine::OwedRefund& owed : owed_) refund(owed);
  owed_.clear();
  while (!backlog_.empty() && under_way() < entries_max) {
    const engine::OwedRefund owed = std::move(backlog_.back());
    backlog_.pop_back();
    refund(owed);
  }
  for (std::size_t i = 0; i < waiting_.size();) {
    const std::uint32_t index = waiting_[i];
    if (entries_[index].due > now) {
      ++i;
      continue;
    }
    waiting_[i] = waiting_.back();
    waiting_.pop_back();
    entries_[index].is_refund ? send_refund(index) : ask(index);
  }
}

}  // namespace usher::server::api
