#include "server/journal/demand_journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace usher::server::journal {
namespace {

namespace fs = std::filesystem;

/// A block is written when it is so large, or when nothing more is queued.
constexpr std::size_t block_bytes_wanted = 128U * 1024U;
/// How long the thread rests when nothing is queued. A queue of 65,536 holds ten times what comes meanwhile.
constexpr std::chrono::milliseconds rest{20};

constexpr std::string_view ending = ".journal";

std::string_view text_of(const Bytes& bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

/// One loop's end of its queue.
class DemandJournal::Tap final : public DecisionTap {
 public:
  explicit Tap(std::size_t capacity) : queue_(capacity) {}

  void on_decision(const Command& command, const Reply& reply) noexcept override {
    if (!queue_.push(make_decision(command, reply))) dropped_.fetch_add(1, std::memory_order_relaxed);
  }
  template <class Take>
  std::size_t drain(Take&& take) {
    return queue_.consume_all(take);
  }
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

 private:
  boost::lockfree::spsc_queue<Decision> queue_;
  std::atomic<std::uint64_t> dropped_{0};
};

DemandJournal::DemandJournal(JournalOptions options) : options_(std::move(options)) {
  for (std::size_t loop = 0; loop < options_.loops; ++loop)
    taps_.push_back(std::make_unique<Tap>(options_.queue_capacity));
}

Result<std::unique_ptr<DemandJournal>> DemandJournal::open(JournalOptions options) {
  std::error_code error;
  fs::create_directories(options.directory, error);
  if (error)
    return make_error(ErrorCode::io, "the demand journal: cannot make " + options.directory + ": " + error.message());
  std::unique_ptr<DemandJournal> journal(new DemandJournal(std::move(options)));
  if (Status made = journal->next_file(); !made) return made.error();
  journal->thread_ = std::thread([raw = journal.get()] { raw->main(); });
  return journal;
}

DemandJournal::~DemandJournal() {
  stopping_.store(true, std::memory_order_release);  // release: pairs with main()
  if (thread_.joinable()) thread_.join();
  if (fd_ >= 0) ::close(fd_);
}

/// Files sort by name as they were made: by the wall clock, then by number.
Status DemandJournal::next_file() {
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  const std::string name = fmt::format("{:015}-{:06}{}", now.count(), ++file_number_, ending);
  const std::string path = (fs::path(options_.directory) / name).string();
  if (fd_ >= 0) ::close(fd_);
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd_ < 0 || !write_all(fd_, magic)) {
    return make_error(ErrorCode::io, "the demand journal: cannot write " + path + ": " + std::strerror(errno));
  }
  writer_ = EntryWriter{};
  shows_.clear();
  file_bytes_ = magic.size();
  block_.clear();
  for (const Setting& setting : options_.settings) writer_.setting(setting, block_);
  write_block();
  return Done{};
}

void DemandJournal::main() {
  for (;;) {
    const bool last = stopping_.load(std::memory_order_acquire);  // acquire: pairs with the destructor
    if (drain()) continue;
    write_block();
    if (last) return;
    std::this_thread::sleep_for(rest);
  }
}

/// Returns: whether anything was queued.
bool DemandJournal::drain() {
  std::size_t count = 0;
  for (const std::unique_ptr<Tap>& tap : taps_) {
    count += tap->drain([this](const Decision& decision) { add(decision); });
  }
  const std::uint64_t gone = dropped();
  if (gone != dropped_told_ && !failed_) {
    writer_.dropped(gone - dropped_told_, block_);
    dropped_told_ = gone;
  }
  // a busy server never leaves the queues empty: after each round the processor is given up for a moment, so that
  // few large rounds are worked off instead of many small ones
  if (count > 0 && count < options_.queue_capacity / 4 && !stopping_.load(std::memory_order_relaxed)) {
    std::this_thread::sleep_for(rest);
  }
  return count > 0;
}

void DemandJournal::add(const Decision& decision) {
  if (failed_) {
    lost_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (shows_.insert(to_value(decision.show)).second) writer_.show(options_.show_of(decision.show), block_);
  writer_.decision(decision, block_);
  written_.fetch_add(1, std::memory_order_relaxed);
  if (block_.size() >= block_bytes_wanted) write_block();
}

void DemandJournal::write_block() {
  if (block_.empty() || failed_) return block_.clear();
  struct statvfs space {};
  if (::fstatvfs(fd_, &space) == 0 && space.f_bavail * space.f_frsize < options_.space_min) {
    return fail("less free space than it must leave on the disk");
  }
  Bytes head;
  ByteWriter to(head);
  to.fixed(static_cast<std::uint32_t>(block_.size()));
  to.fixed(block_crc(text_of(block_)));
  if (!write_all(fd_, text_of(head)) || !write_all(fd_, text_of(block_))) return fail(std::strerror(errno));
  file_bytes_ += head.size() + block_.size();
  bytes_.fetch_add(head.size() + block_.size(), std::memory_order_relaxed);
  block_.clear();
  if (file_bytes_ < options_.file_bytes_max) return;
  if (const Status made = next_file(); !made) fail(made.error().detail);
}

void DemandJournal::fail(const std::string& why) {
  failed_ = true;
  block_.clear();
  if (options_.on_failure) options_.on_failure(why);
}

DecisionTap& DemandJournal::tap(std::size_t loop) noexcept {
  return *taps_[loop];
}

std::uint64_t DemandJournal::dropped() const noexcept {
  std::uint64_t sum = lost_.load(std::memory_order_relaxed);
  for (const std::unique_ptr<Tap>& tap : taps_) sum += tap->dropped();
  return sum;
}

// ---- reading ----

namespace {

/// Block by block: a file may be larger than memory should be. Returns: false when it does not end with a whole block.
bool read_blocks(std::istream& in, EntryVisitor& visitor) {
  EntryReader reader;
  std::string entries;
  for (;;) {
    std::array<char, block_head_bytes> head{};
    in.read(head.data(), head.size());
    if (in.gcount() == 0 && in.eof()) return true;
    ByteReader fields({head.data(), head.size()});
    const auto size = fields.fixed<std::uint32_t>();
    const auto crc = fields.fixed<std::uint32_t>();
    if (!in || size > block_bytes_max) return false;
    entries.resize(size);
    in.read(entries.data(), static_cast<std::streamsize>(size));
    if (!in || block_crc(entries) != crc || !reader.read(entries, visitor)) return false;
  }
}

/// The instant in a file's name; the epoch where it has none.
Instant made_at(const fs::path& file) noexcept {
  const std::string name = file.filename().string();
  std::int64_t ms = 0;
  static_cast<void>(std::from_chars(name.data(), name.data() + name.size(), ms));
  return instant_from_ms(ms);
}

/// Counts the commands that pass.
class Counting final : public EntryVisitor {
 public:
  explicit Counting(EntryVisitor& visitor) : visitor_(visitor) {}
  void on_setting(Setting setting) override { visitor_.on_setting(std::move(setting)); }
  void on_show(ShowEntry show) override { visitor_.on_show(std::move(show)); }
  void on_decision(const Decision& decision) override {
    ++commands;
    latest = decision.at;
    visitor_.on_decision(decision);
  }
  void on_dropped(std::uint64_t count) override { visitor_.on_dropped(count); }

  std::uint64_t commands = 0;
  Instant latest{};

 private:
  EntryVisitor& visitor_;
};

}  // namespace

Result<JournalEnd> read_journal(const std::string& directory, EntryVisitor& visitor) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const fs::directory_entry& file : fs::directory_iterator(directory, error)) {
    if (file.path().extension() == ending) files.push_back(file.path());
  }
  if (error || files.empty()) return make_error(ErrorCode::not_found, "no demand journal in " + directory);
  std::sort(files.begin(), files.end());
  JournalEnd end;
  Counting counting(visitor);
  for (const fs::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    std::string begin(magic.size(), '\0');
    in.read(begin.data(), static_cast<std::streamsize>(begin.size()));
    if (in.bad() || !in.is_open()) return make_error(ErrorCode::io, "cannot read " + file.string());
    counting.latest = made_at(file);
    JournalFile& told = end.files.emplace_back(JournalFile{file.filename().string(), made_at(file), {}, {}});
    if (!in || begin != magic) {
      told.note = "no demand journal of a version that is known; left out";
    } else if (!read_blocks(in, counting)) {
      told.note = "its end is torn or damaged and left out";
    }
    told.until = std::max(told.from, counting.latest);
  }
  end.commands = counting.commands;
  return end;
}

}  // namespace usher::server::journal
