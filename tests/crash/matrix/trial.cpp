#include "tests/crash/matrix/trial.hpp"

#include <cstdio>
#include <set>

#include "wal/crc32c.hpp"

namespace usher::crash {
namespace {

std::uint64_t digest_of(const Image& image) {
  std::uint64_t digest = 0;
  for (const auto& [name, content] : image.files) {
    digest = mix64(digest ^ wal::crc32c(0, name));
    if (content) digest = mix64(digest ^ (std::uint64_t{wal::crc32c(0, *content)} << 32U) ^ content->size());
  }
  return digest;
}

constexpr std::size_t rounds_after_recovery = 2;

/// What is done to the disk after a call failed and the process ended, or was ended.
constexpr Damage after_fault[] = {Damage::killed, Damage::all_lost, Damage::random_kept};

}  // namespace

void Trial::fail(const std::string& what, const std::string& why) {
  if (counters_.failures.fetch_add(1) < 40) std::fprintf(stderr, "FAILED: %s: %s\n", what.c_str(), why.c_str());
}

bool Trial::open_and_judge(Life& life, Book& book, const std::string& what, bool stale_blocks) {
  ++counters_.recoveries;
  if (!life.open()) {
    if (stale_blocks && life.error().find("MANIFEST") != std::string::npos) {
      ++counters_.refused_as_stated;
      return false;
    }
    fail(what, "the start was refused: " + life.error());
    return false;
  }
  const std::string wrong = life.judge(book);
  if (!wrong.empty()) fail(what, wrong);
  return wrong.empty();
}

void Trial::judge(const Variant& variant, const Image& image, Book book, const std::string& what, bool stale_blocks) {
  auto files = std::make_shared<CrashFileSystem>(image, nullptr, Fault{});
  {
    Life life(files, variant, directory_);
    if (!open_and_judge(life, book, what, stale_blocks)) return;
    files->listen([&book](const Op& op) { book.apply(op); });
    std::uint32_t number = book.next_number();
    for (std::size_t round = 0; round < rounds_after_recovery; ++round) {
      if (!life.write_round(number)) return fail(what, "no round could be written after the start: " + life.error());
    }
  }
  // what was served, and what was acknowledged since, must not depend on a page cache (RELIABILITY, rule 4)
  auto again = std::make_shared<CrashFileSystem>(files->after(Damage::all_lost, 0), nullptr, Fault{});
  Life life(again, variant, directory_);
  (void)open_and_judge(life, book, what + ", second start");
}

void Trial::judge_all(const Variant& variant, const Disk& disk, const Book& book, const std::string& what) {
  std::set<std::uint64_t> seen;
  for (std::uint8_t at = 0; at < damage_count && !stop_; ++at) {
    const auto damage = static_cast<Damage>(at);
    const Image image = disk.after(damage, disk.next_inode() * 1000 + at);
    if (!seen.insert(digest_of(image)).second) continue;
    ++counters_.images;
    judge(variant, image, book, what + ", " + std::string(to_string(damage)),
          damage == Damage::garbage || damage == Damage::garbage_behind);
  }
}

void Trial::crash_at(const Variant& variant, const std::vector<Op>& ops, std::size_t at, bool nested) {
  Disk disk(fresh_disk(directory_));
  Book book;
  for (std::size_t op = 0; op < at; ++op) {
    disk.apply(ops[op]);
    book.apply(ops[op]);
  }
  ++counters_.crashes;
  const std::string what = "crash before change " + std::to_string(at);
  judge_all(variant, disk, book, what);
  if (!nested) return;
  for (const Damage damage : {Damage::killed, Damage::all_lost, Damage::random_torn}) {
    const Image image = disk.after(damage, at);
    const std::string where = what + ", " + std::string(to_string(damage));
    take_recovery_apart(variant, image, book, where);
    fail_recovery(variant, image, book, where);
  }
}

void Trial::take_recovery_apart(const Variant& variant, const Image& image, const Book& book, const std::string& what) {
  scratch_.clear();
  {
    Life life(std::make_shared<CrashFileSystem>(image, &scratch_, Fault{}), variant, directory_);
    Book copy = book;
    if (!open_and_judge(life, copy, what)) return;
  }
  const std::vector<Op> ops = scratch_.ops();
  Disk disk(image);
  std::set<std::uint64_t> seen;
  for (std::size_t at = 0; at < ops.size() && !stop_; ++at) {
    disk.apply(ops[at]);
    ++counters_.nested;
    for (const Damage damage : {Damage::killed, Damage::all_lost, Damage::random_torn}) {
      const Image left = disk.after(damage, at);
      if (!seen.insert(digest_of(left)).second) continue;
      judge(variant, left, book,
            what + ", crash in recovery after change " + std::to_string(at) + ", " + std::string(to_string(damage)));
    }
  }
}

void Trial::fail_recovery(const Variant& variant, const Image& image, const Book& book, const std::string& what) {
  for (std::uint64_t at = 0; !stop_; ++at) {
    const auto kind = static_cast<FaultKind>(at % fault_kind_count);
    const Fault fault{at, kind, at % 3 == 0};
    auto files = std::make_shared<CrashFileSystem>(image, nullptr, fault);
    const std::string where = what + ", call " + std::to_string(at) + " of recovery fails (" +
                              std::string(to_string(kind)) + (fault.for_ever ? ", for ever)" : ")");
    {
      Life life(files, variant, directory_);
      const bool opened = life.open();
      if (!files->fault_met()) return;
      ++counters_.faults;
      Book copy = book;
      if (!opened) {
        ++counters_.starts_refused;
        if (life.error().empty()) fail(where, "the start was refused without a word");
      } else if (const std::string wrong = life.judge(copy); !wrong.empty() && !life.dead()) {
        fail(where, wrong);
      }
    }
    judge(variant, files->after(at % 2 == 0 ? Damage::killed : Damage::all_lost, at), book, where);
  }
}

void Trial::fail_at(const Variant& variant, const Fault& fault, Journal& journal, std::uint32_t rounds) {
  journal.clear();
  auto files = std::make_shared<CrashFileSystem>(fresh_disk(directory_), &journal, fault);
  run_workload(files, variant, directory_, rounds);
  if (!files->fault_met()) return;
  ++counters_.faults;
  if (!files->frozen()) ++counters_.faults_survived;
  judge_journal(variant, journal,
                "call " + std::to_string(fault.at) + " fails (" + std::string(to_string(fault.kind)) +
                    (fault.for_ever ? ", for ever)" : ")"));
}

void Trial::judge_journal(const Variant& variant, const Journal& journal, const std::string& what) {
  Disk disk(fresh_disk(directory_));
  Book book;
  for (const Op& op : journal.ops()) {
    disk.apply(op);
    book.apply(op);
  }
  for (const Damage damage : after_fault) {
    judge(variant, disk.after(damage, 7), book, what + ", then " + std::string(to_string(damage)));
  }
}

}  // namespace usher::crash
