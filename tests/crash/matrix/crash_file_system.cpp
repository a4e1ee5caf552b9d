#include "tests/crash/matrix/crash_file_system.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace usher::crash {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

IOStatus error_of(FaultKind kind) {
  return kind == FaultKind::no_space ? IOStatus::NoSpace("planted: no space left on the disk")
                                     : IOStatus::IOError("planted: input/output error");
}

class SequentialFile final : public rocksdb::FSSequentialFile {
 public:
  SequentialFile(CrashFileSystem& files, InodeNumber inode) : files_(files), inode_(inode) {}
  IOStatus Read(std::size_t count, const IOOptions&, Slice* result, char* scratch, IODebugContext*) override {
    IOStatus done = files_.read(inode_, at_, count, result, scratch);
    if (done.ok()) at_ += result->size();
    return done;
  }
  IOStatus Skip(std::uint64_t count) override {
    at_ += count;
    return IOStatus::OK();
  }

 private:
  CrashFileSystem& files_;
  InodeNumber inode_;
  std::uint64_t at_ = 0;
};

class RandomAccessFile final : public rocksdb::FSRandomAccessFile {
 public:
  RandomAccessFile(CrashFileSystem& files, InodeNumber inode) : files_(files), inode_(inode) {}
  IOStatus Read(std::uint64_t offset, std::size_t count, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    return files_.read(inode_, offset, count, result, scratch);
  }

 private:
  CrashFileSystem& files_;
  InodeNumber inode_;
};

class WritableFile final : public rocksdb::FSWritableFile {
 public:
  WritableFile(CrashFileSystem& files, InodeNumber inode) : files_(files), inode_(inode), size_(files.size_of(inode)) {}
  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
    IOStatus done = files_.write(inode_, size_, data);
    if (done.ok()) size_ += data.size();
    return done;
  }
  IOStatus Append(const Slice& data, const IOOptions& options, const rocksdb::DataVerificationInfo&,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions&, IODebugContext*) override {
    IOStatus done = files_.change({OpKind::truncate, inode_, size, {}, {}});
    if (done.ok()) size_ = size;
    return done;
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return files_.change({OpKind::sync, inode_, 0, {}, {}}); }
  std::uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return size_; }

 private:
  CrashFileSystem& files_;
  InodeNumber inode_;
  std::uint64_t size_;
};

class RandomRWFile final : public rocksdb::FSRandomRWFile {
 public:
  RandomRWFile(CrashFileSystem& files, InodeNumber inode) : files_(files), inode_(inode) {}
  IOStatus Write(std::uint64_t offset, const Slice& data, const IOOptions&, IODebugContext*) override {
    return files_.write(inode_, offset, data);
  }
  IOStatus Read(std::uint64_t offset, std::size_t count, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    return files_.read(inode_, offset, count, result, scratch);
  }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return files_.change({OpKind::sync, inode_, 0, {}, {}}); }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  CrashFileSystem& files_;
  InodeNumber inode_;
};

class Directory final : public rocksdb::FSDirectory {
 public:
  Directory(CrashFileSystem& files, std::string name) : files_(files), name_(std::move(name)) {}
  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    return files_.change({OpKind::sync_directory, 0, 0, name_, {}});
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  CrashFileSystem& files_;
  std::string name_;
};

struct Lock final : rocksdb::FileLock {
  explicit Lock(std::string file) : name(std::move(file)) {}
  std::string name;
};

struct NoLogger final : rocksdb::Logger {
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

std::string clean(std::string name) {
  while (name.size() > 1 && name.back() == '/') name.pop_back();
  for (std::size_t at = name.find("//"); at != std::string::npos; at = name.find("//")) name.erase(at, 1);
  return name;
}

}  // namespace

std::string_view to_string(FaultKind kind) noexcept {
  static constexpr std::array<std::string_view, fault_kind_count> names{"io_error", "done_anyway", "short_write",
                                                                        "no_space"};
  return names[static_cast<std::size_t>(kind)];
}

CrashFileSystem::CrashFileSystem(Image image, Journal* journal, Fault fault)
    : FileSystemWrapper(rocksdb::FileSystem::Default()), disk_(std::move(image)), journal_(journal), fault_(fault) {}

std::uint64_t CrashFileSystem::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

bool CrashFileSystem::fault_met() const {
  const std::lock_guard lock(mutex_);
  return fault_met_;
}

bool CrashFileSystem::frozen() const {
  const std::lock_guard lock(mutex_);
  return frozen_;
}

void CrashFileSystem::freeze() {
  const std::lock_guard lock(mutex_);
  frozen_ = true;
}

void CrashFileSystem::note(std::uint32_t what, std::uint64_t value, std::string_view name) {
  const std::lock_guard lock(mutex_);
  const Op op{OpKind::note, what, value, name, {}};
  if (journal_ != nullptr) journal_->append(op);
  if (listener_) listener_(op);
}

Image CrashFileSystem::after(Damage damage, std::uint64_t seed) const {
  const std::lock_guard lock(mutex_);
  return disk_.after(damage, seed);
}

bool CrashFileSystem::fails(FaultKind& kind) {
  const std::uint64_t call = calls_++;
  kind = fault_.kind;
  if (frozen_) {
    kind = FaultKind::io_error;
    return true;
  }
  if (call != fault_.at && !(fault_.for_ever && call > fault_.at)) return false;
  fault_met_ = true;
  return true;
}

void CrashFileSystem::record(const Op& op) {
  if (journal_ != nullptr) journal_->append(op);
  disk_.apply(op);
}

IOStatus CrashFileSystem::read(InodeNumber inode, std::uint64_t offset, std::size_t count, Slice* result,
                               char* scratch) {
  const std::lock_guard lock(mutex_);
  FaultKind kind{};
  if (fails(kind)) return error_of(kind);
  const std::string& content = disk_.content(inode);
  const std::size_t first = std::min<std::size_t>(offset, content.size());
  const std::size_t size = std::min(count, content.size() - first);
  std::memcpy(scratch, content.data() + first, size);
  *result = Slice(scratch, size);
  return IOStatus::OK();
}

IOStatus CrashFileSystem::write(InodeNumber inode, std::uint64_t offset, const Slice& data) {
  const std::lock_guard lock(mutex_);
  FaultKind kind{};
  std::string_view bytes{data.data(), data.size()};
  const bool failed = fails(kind);
  if (failed && (kind == FaultKind::io_error || frozen_)) return error_of(kind);
  if (failed && kind != FaultKind::done_anyway) bytes = bytes.substr(0, bytes.size() / 2);
  record({OpKind::write, inode, offset, {}, bytes});
  return failed ? error_of(kind) : IOStatus::OK();
}

IOStatus CrashFileSystem::change(const Op& op) {
  const std::lock_guard lock(mutex_);
  FaultKind kind{};
  if (!fails(kind)) {
    if (!lying_ || op.kind != OpKind::sync) record(op);
    return IOStatus::OK();
  }
  if (!frozen_ && kind == FaultKind::done_anyway) record(op);
  if (!frozen_ && kind == FaultKind::short_write && op.kind == OpKind::sync) {
    record({OpKind::sync_failed, op.inode, 0, {}, {}});
  }
  return error_of(kind);
}

std::uint64_t CrashFileSystem::size_of(InodeNumber inode) const {
  const std::lock_guard lock(mutex_);
  return disk_.content(inode).size();
}

IOStatus CrashFileSystem::look(const std::string& name, bool folder_too) {
  FaultKind kind{};
  if (fails(kind)) return error_of(kind);
  const InodeNumber inode = disk_.inode_of(name);
  if (inode == 0 || (inode == 1 && !folder_too)) return IOStatus::NotFound(name);
  return IOStatus::OK();
}

IOStatus CrashFileSystem::NewSequentialFile(const std::string& path, const FileOptions&,
                                            std::unique_ptr<rocksdb::FSSequentialFile>* file, IODebugContext*) {
  const std::lock_guard lock(mutex_);
  const std::string name = clean(path);
  IOStatus found = look(name, false);
  if (found.ok()) *file = std::make_unique<SequentialFile>(*this, disk_.inode_of(name));
  return found;
}

IOStatus CrashFileSystem::NewRandomAccessFile(const std::string& path, const FileOptions&,
                                              std::unique_ptr<rocksdb::FSRandomAccessFile>* file, IODebugContext*) {
  const std::lock_guard lock(mutex_);
  const std::string name = clean(path);
  IOStatus found = look(name, false);
  if (found.ok()) *file = std::make_unique<RandomAccessFile>(*this, disk_.inode_of(name));
  return found;
}

IOStatus CrashFileSystem::NewWritableFile(const std::string& path, const FileOptions&,
                                          std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext*) {
  InodeNumber inode = 0;
  {
    const std::lock_guard lock(mutex_);
    FaultKind kind{};
    const bool failed = fails(kind);
    if (failed && (frozen_ || kind != FaultKind::done_anyway)) return error_of(kind);
    inode = disk_.next_inode();
    record({OpKind::create, inode, 0, clean(path), {}});
    if (failed) return error_of(kind);
  }
  *file = std::make_unique<WritableFile>(*this, inode);
  return IOStatus::OK();
}

IOStatus CrashFileSystem::ReopenWritableFile(const std::string& path, const FileOptions&,
                                             std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext*) {
  InodeNumber inode = 0;
  {
    const std::lock_guard lock(mutex_);
    const std::string name = clean(path);
    IOStatus found = look(name, false);
    if (!found.ok()) return found;
    inode = disk_.inode_of(name);
  }
  *file = std::make_unique<WritableFile>(*this, inode);
  return IOStatus::OK();
}

/// RocksDB asks for it only where logs are recycled, which ours never are.
IOStatus CrashFileSystem::ReuseWritableFile(const std::string&, const std::string&, const FileOptions&,
                                            std::unique_ptr<rocksdb::FSWritableFile>*, IODebugContext*) {
  return IOStatus::NotSupported("a file is never reused");
}

IOStatus CrashFileSystem::NewRandomRWFile(const std::string& path, const FileOptions&,
                                          std::unique_ptr<rocksdb::FSRandomRWFile>* file, IODebugContext*) {
  const std::lock_guard lock(mutex_);
  const std::string name = clean(path);
  IOStatus found = look(name, false);
  if (found.ok()) *file = std::make_unique<RandomRWFile>(*this, disk_.inode_of(name));
  return found;
}

IOStatus CrashFileSystem::NewDirectory(const std::string& path, const IOOptions&,
                                       std::unique_ptr<rocksdb::FSDirectory>* directory, IODebugContext*) {
  const std::lock_guard lock(mutex_);
  const std::string name = clean(path);
  IOStatus found = look(name, true);
  if (found.ok()) *directory = std::make_unique<Directory>(*this, name);
  return found;
}

IOStatus CrashFileSystem::FileExists(const std::string& path, const IOOptions&, IODebugContext*) {
  const std::lock_guard lock(mutex_);
  return look(clean(path), true);
}

IOStatus CrashFileSystem::GetChildren(const std::string& path, const IOOptions&, std::vector<std::string>* names,
                                      IODebugContext*) {
  const std::lock_guard lock(mutex_);
  const std::string name = clean(path);
  IOStatus found = look(name, true);
  names->clear();
  if (found.ok()) *names = disk_.names_in(name);
  return found;
}

IOStatus CrashFileSystem::DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) {
  const std::string name = clean(path);
  {
    const std::lock_guard lock(mutex_);
    if (disk_.inode_of(name) < 2) return IOStatus::NotFound(path);
  }
  return change({OpKind::remove, 0, 0, name, {}});
}

IOStatus CrashFileSystem::CreateDir(const std::string& path, const IOOptions&, IODebugContext*) {
  return change({OpKind::make_directory, 0, 0, clean(path), {}});
}

IOStatus CrashFileSystem::CreateDirIfMissing(const std::string& path, const IOOptions& options, IODebugContext* debug) {
  {
    const std::lock_guard lock(mutex_);
    if (disk_.inode_of(clean(path)) == 1) return IOStatus::OK();
  }
  return CreateDir(path, options, debug);
}

IOStatus CrashFileSystem::DeleteDir(const std::string& path, const IOOptions&, IODebugContext*) {
  return change({OpKind::remove, 0, 0, clean(path), {}});
}

IOStatus CrashFileSystem::GetFileSize(const std::string& path, const IOOptions&, std::uint64_t* size, IODebugContext*) {
  const std::lock_guard lock(mutex_);
  const std::string name = clean(path);
  IOStatus found = look(name, false);
  if (found.ok()) *size = disk_.content(disk_.inode_of(name)).size();
  return found;
}

IOStatus CrashFileSystem::GetFileModificationTime(const std::string& path, const IOOptions&, std::uint64_t* time,
                                                  IODebugContext*) {
  const std::lock_guard lock(mutex_);
  *time = 1;
  return look(clean(path), true);
}

IOStatus CrashFileSystem::RenameFile(const std::string& from, const std::string& to, const IOOptions&,
                                     IODebugContext*) {
  {
    const std::lock_guard lock(mutex_);
    if (disk_.inode_of(clean(from)) == 0) return IOStatus::NotFound(from);
  }
  return change({OpKind::rename, 0, 0, clean(from), clean(to)});
}

IOStatus CrashFileSystem::LinkFile(const std::string& from, const std::string& to, const IOOptions&, IODebugContext*) {
  {
    const std::lock_guard lock(mutex_);
    if (disk_.inode_of(clean(from)) == 0) return IOStatus::NotFound(from);
  }
  return change({OpKind::link, 0, 0, clean(from), clean(to)});
}

IOStatus CrashFileSystem::LockFile(const std::string& path, const IOOptions&, rocksdb::FileLock** lock,
                                   IODebugContext*) {
  const std::lock_guard guard(mutex_);
  const std::string name = clean(path);
  if (!locks_.insert(name).second) return IOStatus::IOError("lock hold by current process: " + name);
  *lock = new Lock(name);
  return IOStatus::OK();
}

IOStatus CrashFileSystem::UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) {
  const std::lock_guard guard(mutex_);
  const std::unique_ptr<Lock> owned(static_cast<Lock*>(lock));
  locks_.erase(owned->name);
  return IOStatus::OK();
}

IOStatus CrashFileSystem::NewLogger(const std::string&, const IOOptions&, std::shared_ptr<rocksdb::Logger>* logger,
                                    IODebugContext*) {
  *logger = std::make_shared<NoLogger>();
  return IOStatus::OK();
}

IOStatus CrashFileSystem::GetAbsolutePath(const std::string& path, const IOOptions&, std::string* absolute,
                                          IODebugContext*) {
  *absolute = clean(path);
  return IOStatus::OK();
}

IOStatus CrashFileSystem::IsDirectory(const std::string& path, const IOOptions&, bool* is, IODebugContext*) {
  const std::lock_guard lock(mutex_);
  IOStatus found = look(clean(path), true);
  *is = found.ok() && disk_.inode_of(clean(path)) == 1;
  return found;
}

}  // namespace usher::crash
