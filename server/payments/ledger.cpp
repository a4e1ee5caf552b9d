#include "server/payments/ledger.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "usher/assert.hpp"

namespace usher::server::payments {

namespace {

constexpr std::size_t check_bytes = 4;

Error io_error(const std::filesystem::path& path, std::string_view what) {
  return make_error(ErrorCode::io, path.string() + ": cannot " + std::string{what} + ": " + std::strerror(errno));
}

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> fields;
  while (true) {
    const std::size_t space = line.find(' ');
    fields.push_back(line.substr(0, space));
    if (space == std::string_view::npos) return fields;
    line.remove_prefix(space + 1);
  }
}

template <class T>
bool read_number(std::string_view text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

bool read_decline(std::string_view text, PaymentDecline& decline) {
  for (std::size_t i = 0; i < payment_decline_names.size(); ++i) {
    if (payment_decline_names[i] != text) continue;
    decline = static_cast<PaymentDecline>(i);
    return true;
  }
  return false;
}

void append_line(std::string& out, std::initializer_list<std::string_view> fields) {
  const std::size_t first = out.size();
  for (const std::string_view field : fields) {
    if (out.size() > first) out += ' ';
    out += field.empty() ? "-" : field;
  }
  const std::string check = short_digest(std::string_view{out}.substr(first), check_bytes);
  out += ' ';
  out += check;
  out += '\n';
}

bool has_check(std::string_view line) {
  const std::size_t last_space = line.rfind(' ');
  if (last_space == std::string_view::npos) return false;
  return short_digest(line.substr(0, last_space), check_bytes) == line.substr(last_space + 1);
}

Error damaged(std::size_t line_number, std::string_view why) {
  return make_error(ErrorCode::corrupt, "line " + std::to_string(line_number) + " is damaged: " + std::string{why});
}

}  // namespace

std::string short_digest(std::string_view text, std::size_t bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned size = 0;
  USHER_ASSERT(EVP_Digest(text.data(), text.size(), hash.data(), &size, EVP_sha256(), nullptr) == 1);
  USHER_ASSERT(bytes <= size);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (std::size_t i = 0; i < bytes; ++i) {
    hex += digits[hash[i] >> 4U];
    hex += digits[hash[i] & 15U];
  }
  return hex;
}

/// The open file behind a ledger.
class Ledger::File {
 public:
  File(int fd, std::filesystem::path path) : fd_(fd), path_(std::move(path)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { ::close(fd_); }

  [[nodiscard]] Result<std::string> read() const {
    std::string text;
    std::array<char, 65'536> buffer{};
    while (true) {
      const ssize_t size = ::read(fd_, buffer.data(), buffer.size());
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) return io_error(path_, "read");
      if (size == 0) return text;
      text.append(buffer.data(), static_cast<std::size_t>(size));
    }
  }
  [[nodiscard]] Status append_synced(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t written = ::write(fd_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return io_error(path_, "write");
      text.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fdatasync(fd_) != 0) return io_error(path_, "sync");
    return Done{};
  }
  /// Cuts the file and syncs it whole: what is served afterwards was rewritten and synced (RELIABILITY rule 4).
  [[nodiscard]] Status cut(std::size_t size) const {
    if (::ftruncate(fd_, static_cast<off_t>(size)) != 0 || ::fsync(fd_) != 0) return io_error(path_, "cut");
    const std::filesystem::path parent = path_.has_parent_path() ? path_.parent_path() : ".";
    const int folder = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = folder >= 0 && ::fsync(folder) == 0;
    if (folder >= 0) ::close(folder);
    if (!synced) return io_error(parent, "sync");
    return Done{};
  }

 private:
  int fd_;
  std::filesystem::path path_;
};

void Ledger::FileDeleter::operator()(File* file) const noexcept {
  delete file;
}

Result<Ledger> Ledger::open(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return io_error(path, "open");
  Ledger ledger;
  ledger.file_.reset(new File{fd, path});
  const Result<std::string> text = ledger.file_->read();
  if (!text) return text.error();
  std::size_t size_good = 0;
  if (const Status read = ledger.read_all(text.value(), size_good); !read) {
    return make_error(ErrorCode::corrupt, path.string() + ": " + read.error().detail);
  }
  ledger.bytes_cut_ = text.value().size() - size_good;
  if (const Status cut = ledger.file_->cut(size_good); !cut) return cut.error();
  return ledger;
}

/// A line whose check holds was written whole: it must make sense, and nothing before it may be damaged. Lines without
/// one are a torn end if nothing whole follows.
Status Ledger::read_all(std::string_view text, std::size_t& size_good) {
  std::size_t line_number = 0;
  std::size_t torn_line = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    ++line_number;
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    const bool whole = end < text.size() && has_check(line);
    at = std::min(end + 1, text.size());
    if (!whole) {
      if (torn_line == 0) torn_line = line_number;
      continue;
    }
    if (torn_line != 0) return damaged(torn_line, "whole ones follow it");
    if (!read_line(line.substr(0, line.rfind(' ')))) return damaged(line_number, "it contradicts those before");
    size_good = at;
  }
  return Done{};
}

bool Ledger::read_line(std::string_view line) {
  const std::vector<std::string_view> fields = split(line);
  if (fields.front() == "charge") return read_charge(fields);
  if (fields.front() == "refund") return read_refund(fields);
  return false;
}

bool Ledger::read_charge(const std::vector<std::string_view>& fields) {
  if (fields.size() != 9) return false;
  Charge charge;
  charge.key = fields[1];
  charge.captured = fields[2] == "captured";
  if (charge.captured) {
    charge.payment_id = fields[3];
  } else if (fields[2] != "declined" || !read_decline(fields[3], charge.decline)) {
    return false;
  }
  const std::optional<Currency> currency = parse_currency(fields[5]);
  if (!currency || !read_number(fields[4], charge.amount.amount)) return false;
  charge.amount.currency = *currency;
  charge.metadata.reservation_id = fields[6] == "-" ? "" : fields[6];
  if (!read_number(fields[7], charge.metadata.attempt) || charges_.contains(charge.key)) return false;
  charge.digest = fields[8];
  remember(std::move(charge));
  return true;
}

bool Ledger::read_refund(const std::vector<std::string_view>& fields) {
  if (fields.size() != 5) return false;
  Refund refund{std::string{fields[1]}, std::string{fields[2]}, std::string{fields[3]}, 0};
  if (!read_number(fields[4], refund.amount) || refunds_.contains(refund.key)) return false;
  if (!payments_.contains(refund.payment_id)) return false;
  remember(std::move(refund));
  return true;
}

const Charge* Ledger::find_charge(const std::string& key) const {
  const auto found = charges_.find(key);
  return found == charges_.end() ? nullptr : &found->second;
}

const Charge* Ledger::find_payment(const std::string& payment_id) const {
  const auto found = payments_.find(payment_id);
  return found == payments_.end() ? nullptr : found->second;
}

const Refund* Ledger::find_refund(const std::string& key) const {
  const auto found = refunds_.find(key);
  return found == refunds_.end() ? nullptr : &found->second;
}

void Ledger::add(Charge charge) {
  if (file_) {
    append_line(unsynced_, {"charge", charge.key, charge.captured ? "captured" : "declined",
                            charge.captured ? std::string_view{charge.payment_id} : to_string(charge.decline),
                            std::to_string(charge.amount.amount), charge.amount.currency.view(),
                            charge.metadata.reservation_id, std::to_string(charge.metadata.attempt), charge.digest});
  }
  remember(std::move(charge));
}

void Ledger::add(Refund refund) {
  if (file_) {
    append_line(unsynced_, {"refund", refund.key, refund.refund_id, refund.payment_id, std::to_string(refund.amount)});
  }
  remember(std::move(refund));
}

void Ledger::remember(Charge charge) {
  const std::string key = charge.key;
  const auto [place, added] = charges_.emplace(key, std::move(charge));
  USHER_ASSERT(added);
  if (place->second.captured) payments_.emplace(place->second.payment_id, &place->second);
}

void Ledger::remember(Refund refund) {
  const auto payment = payments_.find(refund.payment_id);
  USHER_ASSERT(payment != payments_.end());
  charges_.at(payment->second->key).refunded += refund.amount;
  const std::string key = refund.key;
  const bool added = refunds_.emplace(key, std::move(refund)).second;
  USHER_ASSERT(added);
}

Status Ledger::sync() {
  if (failed_) return make_error(ErrorCode::io, "an earlier write of the ledger failed");
  if (unsynced_.empty()) return Done{};
  USHER_ASSERT(file_ != nullptr);
  const Status status = file_->append_synced(unsynced_);
  unsynced_.clear();
  failed_ = !status.ok();
  return status;
}

}  // namespace usher::server::payments
