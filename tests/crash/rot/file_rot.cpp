#include "tests/crash/rot/file_rot.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "usher/assert.hpp"
#include "wal/audit.hpp"

namespace usher::crash {
namespace {

constexpr std::size_t journal_bytes = std::size_t{64} << 20U;
constexpr std::uint32_t rounds_per_life = 12;
constexpr std::uint32_t rounds_of_last_life = 20;

std::string suffix_of(const std::string& name) {
  const std::string base = std::filesystem::path(name).filename().string();
  return base.substr(0, base.find('-')) + std::filesystem::path(name).extension().string();
}

}  // namespace

FileRot::FileRot(RotCounters& counters, const Variant& variant, std::string directory)
    : counters_(counters), variant_(variant), directory_(std::move(directory)) {}

void FileRot::fail(const std::string& what, const std::string& why) {
  if (counters_.failures.fetch_add(1) < 40) std::fprintf(stderr, "FAILED: %s: %s\n", what.c_str(), why.c_str());
}

void FileRot::live(Journal& journal) {
  auto files = std::make_shared<CrashFileSystem>(fresh_disk(directory_), &journal, Fault{});
  Book book;
  files->listen([&book](const Op& op) { book.apply(op); });
  run_workload(files, variant_, directory_, rounds_per_life);
  Life last(files, variant_, directory_);
  if (!last.open()) return fail("the workload", last.error());
  std::uint32_t number = book.next_number();
  for (std::uint32_t round = 0; round < rounds_of_last_life; ++round) {
    if (!last.write_round(number)) return fail("the workload", last.error());
  }
  last.kill();
}

void FileRot::build() {
  Journal journal(journal_bytes);
  const pid_t child = ::fork();  // RocksDB has threads, and who forks must have none
  USHER_ASSERT(child >= 0);
  if (child == 0) {
    live(journal);
    std::_Exit(0);
  }
  int status = 0;
  USHER_ASSERT(::waitpid(child, &status, 0) == child && status == 0);
  Disk disk(fresh_disk(directory_));
  for (const Op& op : journal.ops()) {
    disk.apply(op);
    book_.apply(op);
  }
  image_ = disk.live();
  for (const auto& [name, content] : image_.files) {
    if (content) files_.push_back(name);
  }
}

void FileRot::died(const FileCase& one, int status) {
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) {
    ++counters_.aborted;
    return;
  }
  fail(name_of(one), "the process ended with status " + std::to_string(status));
}

std::uint64_t FileRot::bytes() const {
  std::uint64_t total = 0;
  for (const std::string& name : files_) total += image_.files.at(name)->size();
  return total;
}

std::vector<FileCase> FileRot::cases(std::uint64_t flips, std::uint64_t seed) const {
  std::vector<FileCase> cases;
  const std::uint64_t bits = bytes() * 8;
  for (std::size_t file = 0; file < files_.size(); ++file) {
    const std::uint64_t size = image_.files.at(files_[file])->size();
    cases.push_back({Rot::remove, file, 0});
    if (size == 0) continue;
    cases.push_back({Rot::doubled, file, 0});
    for (const std::uint64_t length : {std::uint64_t{0}, std::uint64_t{1}, size / 3, size / 2, size - 1}) {
      cases.push_back({Rot::cut, file, length});
    }
    for (std::size_t other = 0; other < files_.size(); ++other) {
      if (other == file || suffix_of(files_[other]) != suffix_of(files_[file])) continue;
      if (other > file) cases.push_back({Rot::swapped, file, other});
      cases.push_back({Rot::copied, file, other});
    }
    const std::uint64_t share = std::max<std::uint64_t>(8, flips * size * 8 / bits);
    for (std::uint64_t n = 0; n < share; ++n) {
      const std::uint64_t random = mix64(seed + file * 1'000'003 + n);
      cases.push_back({Rot::flip, file, random % (size * 8)});
      if (n % 16 == 0) cases.push_back({Rot::cut, file, random % size});
    }
  }
  return cases;
}

std::string FileRot::name_of(const FileCase& one) const {
  static constexpr std::array<std::string_view, 6> words{"bit flipped", "cut",     "removed",
                                                         "doubled",     "swapped", "copied from"};
  std::string name = files_[one.file].substr(directory_.size() + 1) + " " +
                     std::string(words[static_cast<std::size_t>(one.rot)]) + " " + std::to_string(one.at);
  return name + (variant_.anchor_every_commit ? " (anchor=commit)" : "");
}

Image FileRot::damaged(const FileCase& one) const {
  Image image = image_;
  Content& content = image.files.at(files_[one.file]);
  if (one.rot == Rot::remove) {
    image.files.erase(files_[one.file]);
    return image;
  }
  if (one.rot == Rot::swapped) {
    std::swap(content, image.files.at(files_[one.at]));
    return image;
  }
  if (one.rot == Rot::copied) {
    content = image.files.at(files_[one.at]);
    return image;
  }
  content = std::make_shared<std::string>(*content);
  if (one.rot == Rot::flip) (*content)[one.at / 8] = static_cast<char>((*content)[one.at / 8] ^ (1 << (one.at % 8)));
  if (one.rot == Rot::cut) content->resize(one.at);
  if (one.rot == Rot::doubled) *content += std::string(*content);
  return image;
}

void FileRot::check_audit(const Image& image, const std::string& what) {
  auto files = std::make_shared<CrashFileSystem>(image, nullptr, Fault{});
  const auto audit = wal::audit_directory(directory_, {}, files);
  if (audit && audit.value().clean()) fail(what, "the start was refused, but the audit finds nothing");
}

void FileRot::run(const FileCase& one) {
  const std::string what = name_of(one);
  const Image image = damaged(one);
  ++counters_.opens;
  Life life(std::make_shared<CrashFileSystem>(image, nullptr, Fault{}), variant_, directory_);
  if (!life.open()) {
    ++counters_.refused;
    if (life.error().empty()) fail(what, "refused without a word");
    return check_audit(image, what);
  }
  Book book = book_;
  const std::string wrong = life.judge(book);
  if (wrong.empty()) {
    ++counters_.harmless;
    return;
  }
  const bool said = !life.report().cut.empty() || !life.report().store_damage.empty();
  if (said && !variant_.anchor_every_commit) {
    ++counters_.reported;
  } else if (!variant_.anchor_every_commit && one.rot == Rot::cut && wrong.find("LOST") != std::string::npos) {
    ++counters_.exception;
  } else {
    fail(what, "SILENT: " + wrong);
  }
}

}  // namespace usher::crash
