#pragma once
/// Saga: drives payments and refunds of one loop between the engine and the gateway: attempt durable, then the gateway,
/// then its word as a command, then the client's answer. For the loop's thread only. It decides nothing: what a payment
/// means, the show actor says. What it forgets by a crash, resume() finds again in the state.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/shard/agent_runner.hpp"
#include "engine/shard/show_directory.hpp"
#include "server/metrics/loop_metrics.hpp"
#include "server/payments/gateway.hpp"
#include "usher/command.hpp"

namespace usher::server::api {

class Saga {
 public:
  /// ReplyTo::connection of commands that the saga sends for itself.
  static constexpr std::uint32_t connection = 0xffffffff;
  /// Payments and refunds under way per loop; beyond, clients are told 503.
  static constexpr std::size_t entries_max = 20'000;

  /// `answer(client, reply)` is called when a payment's outcome is durable, or it was refused.
  using Answer = std::function<void(const ReplyTo& client, const Reply& reply)>;
  using Random = std::function<std::uint64_t()>;

  Saga(engine::AgentRunner& runner, const engine::ShowDirectory& directory, payments::PaymentGateway& gateway,
       metrics::LoopMetrics& metrics, Random random, Answer answer);

  /// Begins a payment. Returns: false when too many are under way.
  [[nodiscard]] bool pay(const ReplyTo& client, const Command& start, std::string_view token);
  /// Pays back. Asked for again after a restart, the gateway's key makes it one refund.
  void refund(const engine::OwedRefund& owed);
  /// Takes up what a crash left unfinished in the shards of this loop.
  void resume();
  /// The engine's answer to a command of ours.
  void on_reply(const Reply& reply);
  /// Once per cycle: refunds that became owed, and what is to be asked again.
  void tick(Instant now);
  [[nodiscard]] std::size_t under_way() const noexcept { return entries_.size() - free_.size(); }
  /// Payments whose clients wait for an answer.
  [[nodiscard]] std::size_t clients_waiting() const noexcept { return clients_waiting_; }

 private:
  enum class Stage : std::uint8_t { unused, starting, charging, finishing, refunding, refund_finishing, waiting };
  struct Entry {
    Stage stage = Stage::unused;
    bool has_client = false;
    bool is_refund = false;
    std::uint32_t generation = 0;
    std::uint32_t tries = 0;
    std::uint32_t attempt = 0;  ///< or the refund's number
    ReplyTo client;
    Id id;
    Money amount;
    UserNumber user = UserNumber::none;
    std::string text;  ///< the token until the charge, then the payment's id for a refund
    Instant due{};
  };

  [[nodiscard]] std::uint32_t take();
  void release(std::uint32_t index);
  [[nodiscard]] ReplyTo reply_to(std::uint32_t index) const noexcept;
  void submit(std::uint32_t index, Command command);
  void charge(std::uint32_t index);
  void ask(std::uint32_t index);
  void on_payment(std::uint32_t index, std::uint32_t generation, const payments::PaymentResult& result);
  void on_refund(std::uint32_t index, std::uint32_t generation, const payments::RefundResult& result);
  void send_refund(std::uint32_t index);
  void retry_later(std::uint32_t index);
  void answer_client(std::uint32_t index, const Reply& reply);
  [[nodiscard]] std::string payment_key(const Entry& entry) const;
  [[nodiscard]] payments::PaymentCallback payment_callback(std::uint32_t index);

  engine::AgentRunner& runner_;
  const engine::ShowDirectory& directory_;
  payments::PaymentGateway& gateway_;
  metrics::LoopMetrics& metrics_;
  Random random_;
  Answer answer_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> waiting_;
  std::vector<engine::OwedRefund> owed_;
  std::vector<engine::OwedRefund> backlog_;  ///< refunds that found no entry
  std::size_t clients_waiting_ = 0;
};

}  // namespace usher::server::api
