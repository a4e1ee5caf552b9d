#pragma once
/// A disk in memory that knows what is durable, and what a crash may leave of the rest.
///
/// Image is what can be read: names and contents. Disk adds, for each inode and folder, the changes since its last
/// sync. Names become durable by a sync of their folder, in order; contents by a sync of their file, in any order
/// before it. POSIX promises no more, and journaling file systems no less. For one thread.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/crash/matrix/journal.hpp"

namespace usher::crash {

using Content = std::shared_ptr<std::string>;

/// A file system at rest. Copies share contents until somebody writes to one.
struct Image {
  std::map<std::string, Content, std::less<>> files;  ///< null: a folder
};

/// What becomes of the changes that were not synced when the power went.
enum class Damage : std::uint8_t {
  killed,                ///< nothing: the process died, the machine lives
  all_lost,              ///< contents and names
  contents_lost,         ///< names stay: files of their synced length
  names_lost,            ///< contents stay, where the file still has a name
  half_kept,             ///< the first half of all changes
  torn_first_byte,       ///< the last write stops after a byte
  torn_half,             ///< in its middle
  torn_last_byte,        ///< before its last byte
  torn_sector,           ///< at the last border of 512 bytes inside of it
  zero_filled,           ///< the length is right, the bytes are zeros
  zero_tail,             ///< the last write is zeros
  zero_page,             ///< from the last border of 4,096 bytes on: zeros
  last_only,             ///< only the last write came through, before it a hole
  even_kept,             ///< every other write
  odd_kept,              ///< the other ones
  random_kept,           ///< any subset
  random_torn,           ///< any subset, the last one torn anywhere
  garbage,               ///< what the blocks held before
  garbage_behind,        ///< all kept, and rubbish behind the end of each file
  zeros_behind,          ///< all kept, and a preallocated tail of zeros
  log_kept,              ///< of write-ahead logs everything, of the rest nothing
  anchor_kept,           ///< of the anchor everything, of the rest nothing
  anchor_lost,           ///< the reverse
  half_kept_names_lost,  ///< contents in part, no names
};
inline constexpr std::uint8_t damage_count = 24;
[[nodiscard]] std::string_view to_string(Damage damage) noexcept;

class Disk {
 public:
  Disk() = default;
  explicit Disk(Image image);

  void apply(const Op& op);
  [[nodiscard]] Image live() const;
  /// Returns: 0 when there is no such name, 1 for a folder.
  [[nodiscard]] InodeNumber inode_of(std::string_view name) const;
  /// The names in a folder, without it.
  [[nodiscard]] std::vector<std::string> names_in(std::string_view folder) const;
  [[nodiscard]] const std::string& content(InodeNumber inode) const { return *inodes_.at(inode).live; }
  [[nodiscard]] InodeNumber next_inode() const noexcept { return next_inode_; }
  /// How many changes a power cut could take back.
  [[nodiscard]] std::size_t unsynced() const;
  /// What is there after a crash at this moment. `seed` decides where the damage leaves a choice.
  [[nodiscard]] Image after(Damage damage, std::uint64_t seed) const;

 private:
  struct Write {
    std::uint64_t order = 0;
    std::uint64_t offset = 0;
    std::string bytes;
    bool truncates = false;  ///< to `offset`
  };
  struct Inode {
    Content live = std::make_shared<std::string>();
    Content durable = std::make_shared<std::string>();
    std::vector<Write> unsynced;
  };
  struct NameChange {
    std::string name;
    InodeNumber inode = 0;  ///< 0: the name goes
  };
  using Names = std::map<std::string, InodeNumber, std::less<>>;
  /// A write that a crash may lose, with the inode and a name that it lies under.
  struct Unsynced {
    const Write* write = nullptr;
    InodeNumber inode = 0;
  };

  void set_name(std::string_view name, InodeNumber inode);
  void write(InodeNumber inode, Write change);
  void sync(Inode& inode);
  void sync_folder(std::string_view folder);
  [[nodiscard]] std::vector<Unsynced> unsynced_writes() const;
  [[nodiscard]] std::string_view name_of(InodeNumber inode) const;
  [[nodiscard]] Names names_after(Damage damage) const;
  [[nodiscard]] Image image(const Names& names, const std::map<InodeNumber, Content>& contents) const;

  Names names_;
  Names durable_names_;
  std::map<InodeNumber, Inode> inodes_;
  std::vector<NameChange> unsynced_names_;
  InodeNumber next_inode_ = 2;  ///< 1 stands for folders
  std::uint64_t order_ = 0;
};

}  // namespace usher::crash
