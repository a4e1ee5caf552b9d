#pragma once
/// What the built-in gateway has charged and refunded: in memory, and where a file is named also there, synced before
/// anybody is told. For one thread. It never holds a payment token, only a digest of the request to know it again.
///
/// The file, one line per fact, fields separated by one space, appended only:
///   charge KEY captured PAYMENT_ID AMOUNT CURRENCY RESERVATION ATTEMPT DIGEST CHECK
///   charge KEY declined DECLINE    AMOUNT CURRENCY RESERVATION ATTEMPT DIGEST CHECK
///   refund KEY REFUND_ID PAYMENT_ID AMOUNT CHECK
/// DIGEST and CHECK are the first 8 and 4 bytes of a SHA-256 in hex, CHECK that of the line before its last space. A
/// RESERVATION that is empty is written "-".

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/payments/gateway.hpp"
#include "usher/result.hpp"

namespace usher::server::payments {

struct Charge {
  std::string key;
  bool captured = false;
  PaymentDecline decline{};  ///< unless captured
  std::string payment_id;    ///< if captured
  Money amount;
  PaymentMetadata metadata;
  std::string digest;         ///< of the request
  std::int64_t refunded = 0;  ///< over all refunds
};

struct Refund {
  std::string key;
  std::string refund_id;
  std::string payment_id;
  std::int64_t amount = 0;
};

/// The first `bytes` bytes of the SHA-256 of a text, in hex.
[[nodiscard]] std::string short_digest(std::string_view text, std::size_t bytes);

class Ledger {
 public:
  /// Charges and refunds held at most, about 300 bytes each: what a test gateway may cost a machine.
  static constexpr std::size_t entries_max = 4'000'000;

  /// In memory only.
  Ledger() = default;
  /// Reads the file, or makes it. A torn end, which nobody was told of, is cut.
  /// Returns: `io` when the system refuses, `corrupt` when a line before the end is damaged.
  [[nodiscard]] static Result<Ledger> open(const std::filesystem::path& path);

  Ledger(Ledger&&) noexcept = default;
  Ledger& operator=(Ledger&&) noexcept = default;
  ~Ledger() = default;

  /// Pointers stay valid until the ledger goes.
  [[nodiscard]] const Charge* find_charge(const std::string& key) const;
  [[nodiscard]] const Charge* find_payment(const std::string& payment_id) const;
  [[nodiscard]] const Refund* find_refund(const std::string& key) const;
  [[nodiscard]] bool full() const noexcept { return charges_.size() + refunds_.size() >= entries_max; }
  [[nodiscard]] std::size_t bytes_cut() const noexcept { return bytes_cut_; }

  /// Requires: no charge has that key, and no field has a space.
  void add(Charge charge);
  /// Requires: no refund has that key, and the payment exists.
  void add(Refund refund);

  /// Makes durable what was added since the last time. After a failure what was added may or may not be in the file,
  /// and every later sync() fails too.
  [[nodiscard]] Status sync();

 private:
  class File;
  struct FileDeleter {
    void operator()(File* file) const noexcept;
  };

  [[nodiscard]] bool read_line(std::string_view line);
  [[nodiscard]] bool read_charge(const std::vector<std::string_view>& fields);
  [[nodiscard]] bool read_refund(const std::vector<std::string_view>& fields);
  [[nodiscard]] Status read_all(std::string_view text, std::size_t& size_good);
  void remember(Charge charge);
  void remember(Refund refund);

  std::unordered_map<std::string, Charge> charges_;
  std::unordered_map<std::string, const Charge*> payments_;
  std::unordered_map<std::string, Refund> refunds_;
  std::unique_ptr<File, FileDeleter> file_;
  std::string unsynced_;
  std::size_t bytes_cut_ = 0;
  bool failed_ = false;
};

}  // namespace usher::server::payments
