#pragma once
/// Mailbox: how a command or an answer gets to another loop. Thread-safe: any number of producers, one consumer.
///
/// A producer fills a node of its own pool *before* it links it with one compare-and-swap, so a preempted producer
/// never stalls the others or the consumer (a claim-then-publish ring would). The consumer takes all with one exchange
/// and restores the order of arrival. Nodes go home the same way, so there is no ABA: both stacks are only pushed to
/// and emptied (Treiber, "Systems Programming: Coping with Parallelism", 1986).
///
/// Limitations: bounded by the pool of each producer; a producer is for one thread.

#include <atomic>
#include <cstdint>
#include <memory>

namespace usher::engine {

template <class T>
class Mailbox {
  struct Node;

 public:
  /// One producer's end, owned by its thread. Must outlive the last drain() that sees one of its nodes.
  class Producer {
   public:
    Producer(Mailbox& mailbox, std::uint32_t capacity) : mailbox_(mailbox), nodes_(std::make_unique<Node[]>(capacity)) {
      for (std::uint32_t i = 0; i < capacity; ++i) {
        nodes_[i].owner = this;
        nodes_[i].next = free_;
        free_ = &nodes_[i];
      }
    }
    Producer(const Producer&) = delete;
    Producer& operator=(const Producer&) = delete;

    enum class Pushed : std::uint8_t { full, quietly, first };

    /// Returns: `full` when the pool is used up (nothing was pushed); `first` when the mailbox was empty before, which
    /// is when the consumer has to be woken; `quietly` otherwise.
    [[nodiscard]] Pushed try_push(const T& value) {
      // acquire: pairs with the release in give_back(), the consumer is done with the nodes
      if (free_ == nullptr) free_ = returned_.exchange(nullptr, std::memory_order_acquire);
      if (free_ == nullptr) return Pushed::full;
      Node* node = free_;
      free_ = node->next;
      node->value = value;
      Node* head = mailbox_.head_.load(std::memory_order_relaxed);
      do {
        node->next = head;
        // release: pairs with the acquire in drain(), the value is written
      } while (!mailbox_.head_.compare_exchange_weak(head, node, std::memory_order_release, std::memory_order_relaxed));
      return head == nullptr ? Pushed::first : Pushed::quietly;
    }

   private:
    friend class Mailbox;

    void give_back(Node* node) noexcept {
      Node* head = returned_.load(std::memory_order_relaxed);
      do {
        node->next = head;
        // release: pairs with the acquire in try_push()
      } while (!returned_.compare_exchange_weak(head, node, std::memory_order_release, std::memory_order_relaxed));
    }

    Mailbox& mailbox_;
    std::unique_ptr<Node[]> nodes_;
    Node* free_ = nullptr;
    alignas(64) std::atomic<Node*> returned_{nullptr};
  };

  Mailbox() = default;
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  [[nodiscard]] bool empty() const noexcept { return head_.load(std::memory_order_relaxed) == nullptr; }

  /// Consumer only. Calls `consume(value)` for all that is there, in order of arrival. Returns: how many.
  template <class Consume>
  std::uint32_t drain(Consume&& consume) {
    if (empty()) return 0;
    // acquire: pairs with the release in try_push()
    Node* newest = head_.exchange(nullptr, std::memory_order_acquire);
    Node* oldest = nullptr;
    while (newest != nullptr) {
      Node* next = newest->next;
      newest->next = oldest;
      oldest = newest;
      newest = next;
    }
    std::uint32_t count = 0;
    while (oldest != nullptr) {
      Node* next = oldest->next;
      consume(oldest->value);
      oldest->owner->give_back(oldest);
      oldest = next;
      ++count;
    }
    return count;
  }

 private:
  struct Node {
    Node* next = nullptr;
    Producer* owner = nullptr;
    T value{};
  };

  alignas(64) std::atomic<Node*> head_{nullptr};
};

}  // namespace usher::engine
