#pragma once
/// rocksdb::FileSystem on a Disk: every call is counted, every change goes to the journal, and a call can be made to
/// fail. Thread-safe, since RocksDB flushes on threads of its own.

#include <rocksdb/file_system.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/crash/matrix/disk.hpp"
#include "tests/crash/matrix/journal.hpp"

namespace usher::crash {

enum class FaultKind : std::uint8_t {
  io_error,     ///< nothing was done
  done_anyway,  ///< it was done, and the answer is an error all the same
  short_write,  ///< half of it was done; of a sync: what it should have made durable is lost for good
  no_space,
};
inline constexpr std::uint8_t fault_kind_count = 4;
[[nodiscard]] std::string_view to_string(FaultKind kind) noexcept;

struct Fault {
  std::uint64_t at = ~std::uint64_t{0};  ///< the number of the call that fails, from 0
  FaultKind kind = FaultKind::io_error;
  bool for_ever = false;  ///< all calls after it, too
};

class CrashFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  /// `journal` may be null: then nobody wants to know.
  CrashFileSystem(Image image, Journal* journal, Fault fault);

  /// From now on every sync of a file answers well and does nothing. The matrix must find it out.
  static void lie_about_syncs() { lying_ = true; }

  [[nodiscard]] const char* Name() const override { return "CrashFileSystem"; }
  [[nodiscard]] std::uint64_t calls() const;
  [[nodiscard]] bool fault_met() const;
  [[nodiscard]] bool frozen() const;
  /// Writes a line of the workload's book down, in order with the changes of the disk.
  void note(std::uint32_t what, std::uint64_t value, std::string_view name);
  /// Hears every note. To be set before anything is written.
  void listen(std::function<void(const Op&)> listener) { listener_ = std::move(listener); }
  /// The process is dead: whatever is still called changes nothing.
  void freeze();
  [[nodiscard]] Image after(Damage damage, std::uint64_t seed) const;

  rocksdb::IOStatus NewSequentialFile(const std::string& name, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* file,
                                      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewRandomAccessFile(const std::string& name, const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                        rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReopenWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* file,
                                       rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus ReuseWritableFile(const std::string& name, const std::string& old_name,
                                      const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* file,
                                      rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewRandomRWFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSRandomRWFile>* file,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewDirectory(const std::string& name, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* directory,
                                 rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus FileExists(const std::string& name, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetChildren(const std::string& name, const rocksdb::IOOptions& options,
                                std::vector<std::string>* names, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus CreateDir(const std::string& name, const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus CreateDirIfMissing(const std::string& name, const rocksdb::IOOptions& options,
                                       rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus DeleteDir(const std::string& name, const rocksdb::IOOptions& options,
                              rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetFileSize(const std::string& name, const rocksdb::IOOptions& options, std::uint64_t* size,
                                rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetFileModificationTime(const std::string& name, const rocksdb::IOOptions& options,
                                            std::uint64_t* time, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus LinkFile(const std::string& from, const std::string& to, const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus LockFile(const std::string& name, const rocksdb::IOOptions& options, rocksdb::FileLock** lock,
                             rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus UnlockFile(rocksdb::FileLock* lock, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus NewLogger(const std::string& name, const rocksdb::IOOptions& options,
                              std::shared_ptr<rocksdb::Logger>* logger, rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus GetAbsolutePath(const std::string& path, const rocksdb::IOOptions& options, std::string* absolute,
                                    rocksdb::IODebugContext* debug) override;
  rocksdb::IOStatus IsDirectory(const std::string& name, const rocksdb::IOOptions& options, bool* is,
                                rocksdb::IODebugContext* debug) override;

  // For the files that it hands out.
  rocksdb::IOStatus read(InodeNumber inode, std::uint64_t offset, std::size_t count, rocksdb::Slice* result,
                         char* scratch);
  rocksdb::IOStatus write(InodeNumber inode, std::uint64_t offset, const rocksdb::Slice& data);
  /// One that changes the disk as `op` says; for a sync the fault decides what is lost.
  rocksdb::IOStatus change(const Op& op);
  [[nodiscard]] std::uint64_t size_of(InodeNumber inode) const;

 private:
  inline static bool lying_ = false;
  /// Counts the call. Returns: the error that it must answer, if any.
  [[nodiscard]] bool fails(FaultKind& kind);
  [[nodiscard]] rocksdb::IOStatus look(const std::string& name, bool folder_too);
  void record(const Op& op);

  mutable std::mutex mutex_;
  Disk disk_;
  Journal* journal_;
  Fault fault_;
  std::uint64_t calls_ = 0;
  bool fault_met_ = false;
  bool frozen_ = false;
  std::set<std::string> locks_;
  std::function<void(const Op&)> listener_;
};

}  // namespace usher::crash
