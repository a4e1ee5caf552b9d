#include "tests/crash/matrix/disk.hpp"

#include <algorithm>
#include <array>

#include "usher/assert.hpp"
#include "usher/ids.hpp"

namespace usher::crash {
namespace {

constexpr InodeNumber folder_inode = 1;
constexpr std::size_t rubbish_bytes = 4096;
constexpr std::size_t preallocated_bytes = 65536;

std::string_view folder_of(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  if (slash == std::string_view::npos || name == "/") return {};
  return slash == 0 ? name.substr(0, 1) : name.substr(0, slash);
}

std::string rubbish(std::size_t size, std::uint64_t seed) {
  std::string bytes(size, '\0');
  for (std::size_t at = 0; at < size; ++at) bytes[at] = static_cast<char>(mix64(seed + at / 8) >> (at % 8 * 8));
  return bytes;
}

/// Contents are shared until somebody writes.
std::string& own(Content& content) {
  if (content.use_count() > 1) content = std::make_shared<std::string>(*content);
  return *content;
}

void put(Content& content, std::uint64_t offset, std::string_view bytes) {
  std::string& mine = own(content);
  if (mine.size() < offset + bytes.size()) mine.resize(offset + bytes.size());
  std::copy(bytes.begin(), bytes.end(), mine.begin() + static_cast<std::ptrdiff_t>(offset));
}

/// One write as the damage leaves it. Zeros and rubbish are what fresh blocks hold; a block that is written over has
/// the old bytes or the new ones, sector by sector.
void put_damaged(Content& content, std::uint64_t fresh_from, std::uint64_t offset, std::string bytes, Damage damage,
                 std::uint64_t seed) {
  const std::size_t size = bytes.size();
  const std::string written = bytes;
  std::size_t kept = size;
  if (damage == Damage::torn_first_byte) kept = std::min<std::size_t>(1, size);
  if (damage == Damage::torn_half) kept = size / 2;
  if (damage == Damage::torn_last_byte) kept = size - std::min<std::size_t>(1, size);
  if (damage == Damage::torn_sector)
    kept = (offset + size) / 512 * 512 > offset ? (offset + size) / 512 * 512 - offset : 0;
  if (damage == Damage::random_torn) kept = size == 0 ? 0 : mix64(seed) % size;
  if (damage == Damage::zero_filled || damage == Damage::zero_tail) bytes.assign(size, '\0');
  if (damage == Damage::garbage) bytes = rubbish(size, seed);
  if (damage == Damage::zero_page) {
    const std::uint64_t border = std::max(offset, (offset + size) / 4096 * 4096);
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(border - offset), bytes.end(), '\0');
  }
  if (fresh_from > offset) bytes.replace(0, fresh_from - offset, written, 0, fresh_from - offset);
  put(content, offset, std::string_view(bytes).substr(0, kept));
}

bool touches_only_last(Damage damage) {
  switch (damage) {
    case Damage::torn_first_byte:
    case Damage::torn_half:
    case Damage::torn_last_byte:
    case Damage::torn_sector:
    case Damage::zero_tail:
    case Damage::random_torn:
      return true;
    default:
      return false;
  }
}

/// Whether write number `at` of `count` reaches the disk in some form.
bool is_kept(Damage damage, std::size_t at, std::size_t count, std::string_view name, std::uint64_t seed) {
  switch (damage) {
    case Damage::all_lost:
    case Damage::contents_lost:
      return false;
    case Damage::half_kept:
    case Damage::half_kept_names_lost:
      return at < count / 2;
    case Damage::last_only:
      return at + 1 == count;
    case Damage::even_kept:
      return at % 2 == 0;
    case Damage::odd_kept:
      return at % 2 == 1;
    case Damage::random_kept:
    case Damage::random_torn:
      return (mix64(seed * 31 + at) & 1U) != 0 || (damage == Damage::random_torn && at + 1 == count);
    case Damage::log_kept:
      return name.ends_with(".log");
    case Damage::anchor_kept:
      return name.ends_with("/anchor");
    case Damage::anchor_lost:
      return !name.ends_with("/anchor");
    default:
      return true;
  }
}

}  // namespace

std::string_view to_string(Damage damage) noexcept {
  static constexpr std::array<std::string_view, damage_count> names{
      "killed",         "all_lost",       "contents_lost", "names_lost",  "half_kept",   "torn_first_byte",
      "torn_half",      "torn_last_byte", "torn_sector",   "zero_filled", "zero_tail",   "zero_page",
      "last_only",      "even_kept",      "odd_kept",      "random_kept", "random_torn", "garbage",
      "garbage_behind", "zeros_behind",   "log_kept",      "anchor_kept", "anchor_lost", "half_kept_names_lost"};
  return names[static_cast<std::size_t>(damage)];
}

Disk::Disk(Image image) {
  for (auto& [name, content] : image.files) {
    const InodeNumber inode = content ? next_inode_++ : folder_inode;
    names_.emplace(name, inode);
    if (content) inodes_.emplace(inode, Inode{content, content, {}});
  }
  durable_names_ = names_;
}

InodeNumber Disk::inode_of(std::string_view name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? 0 : found->second;
}

std::vector<std::string> Disk::names_in(std::string_view folder) const {
  std::vector<std::string> found;
  const std::string prefix = std::string(folder) + "/";
  for (auto at = names_.lower_bound(prefix); at != names_.end() && at->first.starts_with(prefix); ++at) {
    const std::string rest = at->first.substr(prefix.size());
    if (rest.find('/') == std::string::npos) found.push_back(rest);
  }
  return found;
}

void Disk::set_name(std::string_view name, InodeNumber inode) {
  if (inode == 0) {
    names_.erase(std::string(name));
  } else {
    names_.insert_or_assign(std::string(name), inode);
  }
  unsynced_names_.push_back({std::string(name), inode});
}

void Disk::write(InodeNumber number, Write change) {
  Inode& inode = inodes_.at(number);
  change.order = ++order_;
  if (change.truncates) {
    own(inode.live).resize(change.offset);
  } else {
    put(inode.live, change.offset, change.bytes);
  }
  inode.unsynced.push_back(std::move(change));
}

void Disk::sync(Inode& inode) {
  for (const Write& write : inode.unsynced) {
    if (write.truncates) {
      own(inode.durable).resize(write.offset);
    } else {
      put(inode.durable, write.offset, write.bytes);
    }
  }
  inode.unsynced.clear();
}

void Disk::sync_folder(std::string_view folder) {
  std::vector<NameChange> others;
  for (NameChange& change : unsynced_names_) {
    if (folder_of(change.name) != folder) {
      others.push_back(std::move(change));
    } else if (change.inode == 0) {
      durable_names_.erase(change.name);
    } else {
      durable_names_.insert_or_assign(change.name, change.inode);
    }
  }
  unsynced_names_ = std::move(others);
}

void Disk::apply(const Op& op) {
  switch (op.kind) {
    case OpKind::make_directory:
      return set_name(op.name, folder_inode);
    case OpKind::create:
      inodes_.emplace(op.inode, Inode{});
      next_inode_ = std::max(next_inode_, op.inode + 1);
      return set_name(op.name, op.inode);
    case OpKind::write:
      return write(op.inode, {0, op.offset, std::string(op.data), false});
    case OpKind::truncate:
      return write(op.inode, {0, op.offset, {}, true});
    case OpKind::sync:
      return sync(inodes_.at(op.inode));
    case OpKind::sync_failed:
      return inodes_.at(op.inode).unsynced.clear();
    case OpKind::rename:
      set_name(op.data, inode_of(op.name));
      return set_name(op.name, 0);
    case OpKind::remove:
      return set_name(op.name, 0);
    case OpKind::link:
      return set_name(op.data, inode_of(op.name));
    case OpKind::sync_directory:
      return sync_folder(op.name);
    case OpKind::note:
      return;
  }
}

std::size_t Disk::unsynced() const {
  std::size_t count = unsynced_names_.size();
  for (const auto& [number, inode] : inodes_) count += inode.unsynced.size();
  return count;
}

std::vector<Disk::Unsynced> Disk::unsynced_writes() const {
  std::vector<Unsynced> found;
  for (const auto& [number, inode] : inodes_) {
    for (const Write& write : inode.unsynced) found.push_back({&write, number});
  }
  std::sort(found.begin(), found.end(),
            [](const Unsynced& a, const Unsynced& b) { return a.write->order < b.write->order; });
  return found;
}

std::string_view Disk::name_of(InodeNumber inode) const {
  for (const auto& [name, number] : names_) {
    if (number == inode) return name;
  }
  return {};
}

Disk::Names Disk::names_after(Damage damage) const {
  std::size_t kept = unsynced_names_.size();
  if (damage == Damage::all_lost || damage == Damage::names_lost || damage == Damage::half_kept_names_lost) kept = 0;
  if (damage == Damage::half_kept || damage == Damage::even_kept || damage == Damage::random_kept) kept /= 2;
  if (damage == Damage::log_kept || damage == Damage::anchor_kept) kept = 0;
  Names names = durable_names_;
  for (std::size_t at = 0; at < kept; ++at) {
    const NameChange& change = unsynced_names_[at];
    if (change.inode == 0) {
      names.erase(change.name);
    } else {
      names.insert_or_assign(change.name, change.inode);
    }
  }
  return names;
}

Image Disk::image(const Names& names, const std::map<InodeNumber, Content>& contents) const {
  Image image;
  for (const auto& [name, number] : names) {
    // a name inside of a folder that was never made durable is gone with it
    bool reachable = true;
    for (std::string_view folder = folder_of(name); !folder.empty() && reachable; folder = folder_of(folder)) {
      reachable = names.contains(folder);
    }
    if (!reachable) continue;
    image.files.emplace(name, number == folder_inode ? Content{} : contents.at(number));
  }
  return image;
}

Image Disk::live() const {
  std::map<InodeNumber, Content> contents;
  for (const auto& [number, inode] : inodes_) contents.emplace(number, inode.live);
  return image(names_, contents);
}

Image Disk::after(Damage damage, std::uint64_t seed) const {
  if (damage == Damage::killed) return live();
  std::map<InodeNumber, Content> contents;
  for (const auto& [number, inode] : inodes_) contents.emplace(number, inode.durable);
  const std::vector<Unsynced> writes = unsynced_writes();
  for (std::size_t at = 0; at < writes.size(); ++at) {
    const Write& write = *writes[at].write;
    if (!is_kept(damage, at, writes.size(), name_of(writes[at].inode), seed)) continue;
    Content& content = contents.at(writes[at].inode);
    if (write.truncates) {
      own(content).resize(write.offset);
    } else if (touches_only_last(damage) && at + 1 != writes.size()) {
      put(content, write.offset, write.bytes);
    } else {
      const std::size_t fresh_from = inodes_.at(writes[at].inode).durable->size();
      put_damaged(content, fresh_from, write.offset, write.bytes, damage, seed + at);
    }
  }
  if (damage == Damage::garbage_behind || damage == Damage::zeros_behind) {
    for (const auto& [number, inode] : inodes_) {
      std::string& content = own(contents.at(number));
      if (inode.unsynced.empty() || content.size() <= inode.durable->size()) continue;
      content += damage == Damage::zeros_behind ? std::string(preallocated_bytes, '\0') : rubbish(rubbish_bytes, seed);
    }
  }
  return image(names_after(damage), contents);
}

}  // namespace usher::crash
