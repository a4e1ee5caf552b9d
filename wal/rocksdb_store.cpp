#include "wal/rocksdb_store.hpp"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <rocksdb/listener.h>
#include <rocksdb/rate_limiter.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <mutex>
#include <utility>

#include "usher/assert.hpp"

namespace usher::wal {
namespace {

constexpr std::string_view log_prefix = "log.";
constexpr std::size_t protection_bytes = 8;
/// Memtables of one segment that wait for its rotation: 16 x 128 MiB is twice a segment of 1 GiB.
constexpr int log_memtables_max = 17;

std::string family_name(Place place) {
  switch (place.table) {
    case Table::log:
      return std::string(log_prefix) + std::to_string(place.segment);
    case Table::checkpoints:
      return "checkpoints";
    case Table::people:
      return "people";
    case Table::meta:
      return "meta";
  }
  return {};
}

/// Returns: 0 when the family is no segment.
SegmentNumber segment_of(std::string_view name) noexcept {
  if (!name.starts_with(log_prefix)) return 0;
  name.remove_prefix(log_prefix.size());
  SegmentNumber number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  return error == std::errc{} && end == name.data() + name.size() ? number : 0;
}

Error to_error(const rocksdb::Status& status, const std::string& what) {
  const std::string text = status.ToString();
  ErrorCode code = ErrorCode::io;
  if (status.IsCorruption()) code = ErrorCode::corrupt;
  if (status.IsNoSpace()) code = ErrorCode::no_space;
  if (text.find("LOCK") != std::string::npos || text.find("lock hold") != std::string::npos) code = ErrorCode::busy;
  switch (code) {
    case ErrorCode::busy:
      return {code, what + ": another process has this directory open (" + text + ")"};
    case ErrorCode::corrupt:
      return {code, what + ": stored bytes are damaged (" + text + ")"};
    case ErrorCode::no_space:
      return {code, what + ": the disk is full (" + text + ")"};
    default:
      return {code, what + ": " + text};
  }
}

Status to_status(const rocksdb::Status& status, const char* what) {
  if (status.ok()) return Done{};
  return to_error(status, what);
}

/// RocksDB would go on in read-only mode after a failed flush; we end instead (DESIGN 4.4).
class FatalListener final : public rocksdb::EventListener {
 public:
  explicit FatalListener(FatalHandler fatal) : fatal_(std::move(fatal)) {}
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    fatal_("RocksDB failed in the background: " + status->ToString());
  }

 private:
  FatalHandler fatal_;
};

rocksdb::ColumnFamilyOptions small_family_options() {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = std::size_t{32} << 20U;
  options.compression = rocksdb::kNoCompression;
  return options;
}

rocksdb::ColumnFamilyOptions log_family_options(const RocksDbOptions& wanted) {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = wanted.write_buffer_bytes;
  // keys of a segment come once and are read at recovery: a vector that is sorted when it is read costs no search per
  // blob
  options.memtable_factory = std::make_shared<rocksdb::VectorRepFactory>();
  options.max_write_buffer_number = log_memtables_max;
  options.min_write_buffer_number_to_merge = log_memtables_max - 1;
  options.compression = rocksdb::kNoCompression;
  options.disable_auto_compactions = true;  // written once, read at recovery, dropped whole
  options.level0_slowdown_writes_trigger = 1 << 20;
  options.level0_stop_writes_trigger = 1 << 20;
  rocksdb::BlockBasedTableOptions table;
  table.filter_policy = nullptr;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

rocksdb::DBOptions make_database_options(const RocksDbOptions& wanted) {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.wal_recovery_mode = wanted.up_to_damage ? rocksdb::WALRecoveryMode::kPointInTimeRecovery
                                                  : rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.paranoid_checks = true;
  options.track_and_verify_wals_in_manifest = true;
  options.max_bgerror_resume_count = 0;
  options.avoid_flush_during_recovery = false;
  options.manual_wal_flush = false;
  options.two_write_queues = false;
  options.unordered_write = false;
  options.allow_concurrent_memtable_write = false;  // vectors take one writer, and there is one
  options.enable_pipelined_write = false;
  options.recycle_log_file_num = 0;
  options.max_background_jobs = 2;
  options.max_open_files = 512;
  options.max_file_opening_threads = 1;  // it starts them per family, and a segment has one file
  // Above all memtables together, so that the size of the write-ahead log never flushes the log family mid-sale.
  options.max_total_wal_size = std::uint64_t{wanted.write_buffer_bytes} * (log_memtables_max + 4);
  options.bytes_per_sync = std::uint64_t{1} << 20U;
  options.rate_limiter.reset(rocksdb::NewGenericRateLimiter(std::int64_t{256} << 20U));
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.keep_log_file_num = 4;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  if (wanted.mode == RocksDbOptions::Mode::live && wanted.fatal) {
    options.listeners.push_back(std::make_shared<FatalListener>(wanted.fatal));
  }
  return options;
}

class RocksDbStore;

class RocksDbBatch final : public StoreBatch {
 public:
  explicit RocksDbBatch(RocksDbStore& store) : store_(store), batch(0, 0, protection_bytes, 0) {}
  void clear() override { batch.Clear(); }
  void put(Place place, std::string_view key, std::string_view value) override;
  void erase(Place place, std::string_view key) override;
  [[nodiscard]] std::size_t size_bytes() const override { return batch.GetDataSize(); }

 private:
  /// The family of the last row is kept: the rows of a round are nearly all of one.
  [[nodiscard]] rocksdb::ColumnFamilyHandle* family(Place place);

  RocksDbStore& store_;
  Place place_{};
  rocksdb::ColumnFamilyHandle* family_ = nullptr;

 public:
  rocksdb::WriteBatch batch;
};

class RocksDbCursor final : public StoreCursor {
 public:
  explicit RocksDbCursor(std::unique_ptr<rocksdb::Iterator> at) : at_(std::move(at)) {}
  void seek(std::string_view key) override { at_->Seek({key.data(), key.size()}); }
  void seek_back(std::string_view key) override { at_->SeekForPrev({key.data(), key.size()}); }
  void next() override { at_->Next(); }
  [[nodiscard]] bool valid() const override { return at_->Valid(); }
  [[nodiscard]] std::string_view key() const override { return {at_->key().data(), at_->key().size()}; }
  [[nodiscard]] std::string_view value() const override { return {at_->value().data(), at_->value().size()}; }
  [[nodiscard]] Status status() const override { return to_status(at_->status(), "reading the log"); }

 private:
  std::unique_ptr<rocksdb::Iterator> at_;
};

class RocksDbStore final : public Store {
 public:
  explicit RocksDbStore(RocksDbOptions options)
      : options_(std::move(options)),
        files_(options_.file_system ? options_.file_system : rocksdb::FileSystem::Default()) {
    if (options_.file_system) environment_ = rocksdb::NewCompositeEnv(options_.file_system);
  }
  ~RocksDbStore() override { release(); }

  [[nodiscard]] Status open();

  [[nodiscard]] std::unique_ptr<StoreBatch> make_batch() override { return std::make_unique<RocksDbBatch>(*this); }
  [[nodiscard]] Status write(StoreBatch& batch, bool sync) override;
  [[nodiscard]] Result<std::unique_ptr<StoreCursor>> cursor(Place place) override;
  [[nodiscard]] Result<std::optional<std::string>> get(Place place, std::string_view key) override;
  [[nodiscard]] std::vector<SegmentNumber> segments() const override;
  [[nodiscard]] Status create_segment(SegmentNumber segment) override;
  [[nodiscard]] Status drop_segment(SegmentNumber segment) override;
  [[nodiscard]] Status flush_segment(SegmentNumber segment) override;
  [[nodiscard]] std::uint64_t segment_bytes(SegmentNumber segment) const override;
  [[nodiscard]] Status write_anchor_slot(unsigned slot, std::string_view bytes) override;
  [[nodiscard]] Status sync_anchor() override;
  [[nodiscard]] Result<std::string> read_anchor_slot(unsigned slot, std::size_t size_bytes) override;
  [[nodiscard]] Status close() override;

  [[nodiscard]] rocksdb::ColumnFamilyHandle* find(Place place) const;

 private:
  [[nodiscard]] bool live() const noexcept { return options_.mode == RocksDbOptions::Mode::live; }
  [[nodiscard]] std::string database_path() const { return options_.directory + "/log"; }
  [[nodiscard]] Result<std::vector<rocksdb::ColumnFamilyDescriptor>> families() const;
  [[nodiscard]] Status open_database(const std::vector<rocksdb::ColumnFamilyDescriptor>& descriptors);
  [[nodiscard]] std::string anchor_path() const { return options_.directory + "/anchor"; }
  [[nodiscard]] rocksdb::DBOptions database_options() const;
  [[nodiscard]] Result<bool> has_database() const;
  [[nodiscard]] Status make_directory();
  [[nodiscard]] Status open_anchor_file();
  [[nodiscard]] Status sync_directory(const std::string& path);
  void release();

  RocksDbOptions options_;
  std::shared_ptr<rocksdb::FileSystem> files_;
  std::unique_ptr<rocksdb::Env> environment_;  ///< over files_; null: the machine's
  std::unique_ptr<rocksdb::DB> database_;
  std::unique_ptr<rocksdb::FSRandomRWFile> anchor_file_;
  mutable std::mutex mutex_;  ///< guards families_ against segments that come and go
  std::map<std::string, rocksdb::ColumnFamilyHandle*, std::less<>> families_;
};

rocksdb::ColumnFamilyHandle* RocksDbBatch::family(Place place) {
  if (family_ == nullptr || place != place_) {
    family_ = store_.find(place);
    place_ = place;
  }
  USHER_ASSERT(family_ != nullptr);
  return family_;
}

void RocksDbBatch::put(Place place, std::string_view key, std::string_view value) {
  const auto status = batch.Put(family(place), {key.data(), key.size()}, {value.data(), value.size()});
  USHER_ASSERT(status.ok());
}

void RocksDbBatch::erase(Place place, std::string_view key) {
  const auto status = batch.Delete(family(place), {key.data(), key.size()});
  USHER_ASSERT(status.ok());
}

rocksdb::DBOptions RocksDbStore::database_options() const {
  rocksdb::DBOptions options = make_database_options(options_);
  if (environment_) options.env = environment_.get();
  return options;
}

Result<bool> RocksDbStore::has_database() const {
  const rocksdb::IOStatus found = files_->FileExists(database_path() + "/CURRENT", {}, nullptr);
  if (found.ok()) return true;
  if (found.IsNotFound()) return false;
  return to_error(found, "looking into " + database_path());
}

Status RocksDbStore::open() {
  if (live()) {
    if (Status made = make_directory(); !made) return made;
  } else {
    const Result<bool> there = has_database();
    if (!there) return there.error();
    if (!there.value()) return make_error(ErrorCode::not_found, "there is no log in " + options_.directory);
  }
  const auto descriptors = families();
  if (!descriptors) return descriptors.error();
  if (Status opened = open_database(descriptors.value()); !opened) return opened;
  return open_anchor_file();
}

Result<std::vector<rocksdb::ColumnFamilyDescriptor>> RocksDbStore::families() const {
  std::vector<std::string> names;
  const Result<bool> there = has_database();
  if (!there) return there.error();
  if (there.value()) {
    const auto listed = rocksdb::DB::ListColumnFamilies(database_options(), database_path(), &names);
    if (!listed.ok()) return to_error(listed, "opening " + database_path());
  }
  if (live()) {
    for (const Table table : {Table::checkpoints, Table::people, Table::meta}) {
      const std::string name = family_name({table, 0});
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  if (std::find(names.begin(), names.end(), rocksdb::kDefaultColumnFamilyName) == names.end()) {
    names.push_back(rocksdb::kDefaultColumnFamilyName);
  }
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string& name : names) {
    descriptors.emplace_back(name, segment_of(name) != 0 ? log_family_options(options_) : small_family_options());
  }
  return descriptors;
}

Status RocksDbStore::open_database(const std::vector<rocksdb::ColumnFamilyDescriptor>& descriptors) {
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* database = nullptr;
  const rocksdb::DBOptions options = database_options();
  const rocksdb::Status opened =
      live() ? rocksdb::DB::Open(options, database_path(), descriptors, &handles, &database)
             : rocksdb::DB::OpenForReadOnly(options, database_path(), descriptors, &handles, &database);
  if (!opened.ok()) return to_error(opened, "opening " + database_path());
  database_.reset(database);
  for (rocksdb::ColumnFamilyHandle* handle : handles) families_.emplace(handle->GetName(), handle);
  return Done{};
}

/// With every folder above it, each new name as durable as what will be written there.
Status RocksDbStore::make_directory() {
  std::vector<std::string> missing;
  for (std::filesystem::path at = options_.directory; !at.empty(); at = at.parent_path()) {
    if (files_->FileExists(at.string(), {}, nullptr).ok()) break;
    missing.push_back(at.string());
    if (at == at.parent_path()) break;
  }
  for (auto path = missing.rbegin(); path != missing.rend(); ++path) {
    const rocksdb::IOStatus made = files_->CreateDirIfMissing(*path, {}, nullptr);
    if (!made.ok()) return to_error(made, "making " + *path);
    const std::string parent = std::filesystem::path(*path).parent_path().string();
    if (Status synced = sync_directory(parent.empty() ? "." : parent); !synced) return synced;
  }
  return Done{};
}

Status RocksDbStore::sync_directory(const std::string& path) {
  std::unique_ptr<rocksdb::FSDirectory> directory;
  rocksdb::IOStatus done = files_->NewDirectory(path, {}, &directory, nullptr);
  if (done.ok()) done = directory->Fsync({}, nullptr);
  return done.ok() ? Status{Done{}} : Status{to_error(done, "syncing " + path)};
}

Status RocksDbStore::open_anchor_file() {
  if (!live()) return Done{};
  rocksdb::IOStatus done = files_->FileExists(anchor_path(), {}, nullptr);
  if (done.IsNotFound()) {
    std::unique_ptr<rocksdb::FSWritableFile> fresh;
    done = files_->NewWritableFile(anchor_path(), {}, &fresh, nullptr);
    if (done.ok()) done = fresh->Close({}, nullptr);
  }
  if (done.ok()) done = files_->NewRandomRWFile(anchor_path(), {}, &anchor_file_, nullptr);
  if (!done.ok()) return to_error(done, "opening " + anchor_path());
  // The new name must be as durable as what will be written there, and so must that of the folder, whoever made it.
  if (Status synced = sync_directory(options_.directory); !synced) return synced;
  const std::filesystem::path folder = std::filesystem::path(options_.directory) / "";
  const std::string parent = folder.parent_path().parent_path().string();
  return parent.empty() ? sync_directory(".") : sync_directory(parent);
}

void RocksDbStore::release() {
  if (database_) {
    for (const auto& [name, handle] : families_) (void)database_->DestroyColumnFamilyHandle(handle);
    families_.clear();
    database_.reset();
  }
  if (anchor_file_) (void)anchor_file_->Close({}, nullptr);
  anchor_file_.reset();
}

rocksdb::ColumnFamilyHandle* RocksDbStore::find(Place place) const {
  const std::lock_guard lock(mutex_);
  const auto found = families_.find(family_name(place));
  return found == families_.end() ? nullptr : found->second;
}

Status RocksDbStore::write(StoreBatch& batch, bool sync) {
  rocksdb::WriteOptions options;
  options.sync = sync;
  options.protection_bytes_per_key = protection_bytes;
  return to_status(database_->Write(options, &static_cast<RocksDbBatch&>(batch).batch), "writing the log");
}

Result<std::unique_ptr<StoreCursor>> RocksDbStore::cursor(Place place) {
  const std::lock_guard lock(mutex_);
  const auto found = families_.find(family_name(place));
  if (found == families_.end()) return make_error(ErrorCode::not_found, "there is no " + family_name(place));
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  options.fill_cache = false;
  options.readahead_size = std::size_t{1} << 20U;
  std::unique_ptr<rocksdb::Iterator> at(database_->NewIterator(options, found->second));
  return std::unique_ptr<StoreCursor>(std::make_unique<RocksDbCursor>(std::move(at)));
}

Result<std::optional<std::string>> RocksDbStore::get(Place place, std::string_view key) {
  rocksdb::ColumnFamilyHandle* const family = find(place);
  if (family == nullptr) return std::optional<std::string>{};
  std::string value;
  const rocksdb::Status read = database_->Get({}, family, {key.data(), key.size()}, &value);
  if (read.IsNotFound()) return std::optional<std::string>{};
  if (!read.ok()) return to_error(read, "reading " + family_name(place));
  return std::optional<std::string>{std::move(value)};
}

std::vector<SegmentNumber> RocksDbStore::segments() const {
  std::vector<SegmentNumber> found;
  const std::lock_guard lock(mutex_);
  for (const auto& [name, handle] : families_) {
    if (const SegmentNumber segment = segment_of(name); segment != 0) found.push_back(segment);
  }
  std::sort(found.begin(), found.end());
  return found;
}

Status RocksDbStore::create_segment(SegmentNumber segment) {
  const std::string name = family_name({Table::log, segment});
  rocksdb::ColumnFamilyHandle* handle = nullptr;
  const rocksdb::Status made = database_->CreateColumnFamily(log_family_options(options_), name, &handle);
  if (!made.ok()) return to_error(made, "creating " + name);
  const std::lock_guard lock(mutex_);
  families_.emplace(name, handle);
  return Done{};
}

Status RocksDbStore::drop_segment(SegmentNumber segment) {
  const std::string name = family_name({Table::log, segment});
  const std::lock_guard lock(mutex_);
  const auto found = families_.find(name);
  if (found == families_.end()) return make_error(ErrorCode::not_found, "there is no " + name);
  const rocksdb::Status dropped = database_->DropColumnFamily(found->second);
  (void)database_->DestroyColumnFamilyHandle(found->second);
  families_.erase(found);
  return to_status(dropped, "dropping a segment");
}

Status RocksDbStore::flush_segment(SegmentNumber segment) {
  rocksdb::FlushOptions options;
  options.wait = true;
  options.allow_write_stall = true;  // nothing is written to this family any more
  // The small tables too: they would keep the write-ahead log of the whole segment alive.
  for (const Place place :
       {Place{Table::log, segment}, Place{Table::checkpoints, 0}, Place{Table::people, 0}, Place{Table::meta, 0}}) {
    rocksdb::ColumnFamilyHandle* const family = find(place);
    if (family == nullptr) return make_error(ErrorCode::not_found, "there is no " + family_name(place));
    if (const rocksdb::Status flushed = database_->Flush(options, family); !flushed.ok()) {
      return to_error(flushed, "flushing " + family_name(place));
    }
  }
  return Done{};
}

std::uint64_t RocksDbStore::segment_bytes(SegmentNumber segment) const {
  rocksdb::ColumnFamilyHandle* const family = find({Table::log, segment});
  std::uint64_t files = 0;
  std::uint64_t memory = 0;
  if (family == nullptr) return 0;
  (void)database_->GetIntProperty(family, rocksdb::DB::Properties::kTotalSstFilesSize, &files);
  (void)database_->GetIntProperty(family, rocksdb::DB::Properties::kCurSizeAllMemTables, &memory);
  // An empty memtable has its arena: not a byte of the log.
  std::uint64_t entries = 0;
  (void)database_->GetIntProperty(family, rocksdb::DB::Properties::kNumEntriesActiveMemTable, &entries);
  return files + (entries != 0 ? memory : 0);
}

Status RocksDbStore::write_anchor_slot(unsigned slot, std::string_view bytes) {
  const std::uint64_t first = (slot % 2) * bytes.size();
  return to_status(anchor_file_->Write(first, {bytes.data(), bytes.size()}, {}, nullptr), "writing the anchor");
}

Status RocksDbStore::sync_anchor() {
  return to_status(anchor_file_->Sync({}, nullptr), "syncing the anchor");
}

Result<std::string> RocksDbStore::read_anchor_slot(unsigned slot, std::size_t size_bytes) {
  std::unique_ptr<rocksdb::FSRandomAccessFile> file;
  rocksdb::IOStatus done = files_->NewRandomAccessFile(anchor_path(), {}, &file, nullptr);
  if (done.IsNotFound() || done.IsPathNotFound()) return std::string{};
  std::string bytes(size_bytes, '\0');
  rocksdb::Slice read;
  if (done.ok()) done = file->Read((slot % 2) * size_bytes, size_bytes, {}, &read, bytes.data(), nullptr);
  if (!done.ok()) return to_error(done, "reading the anchor");
  bytes.assign(read.data(), read.size());
  // Slot 1 is written first: slot 0 is a hole until then.
  if (std::all_of(bytes.begin(), bytes.end(), [](char byte) { return byte == 0; })) bytes.clear();
  return bytes;
}

Status RocksDbStore::close() {
  rocksdb::Status status = rocksdb::Status::OK();
  if (live()) {
    rocksdb::FlushOptions options;
    options.allow_write_stall = true;
    for (const auto& [name, handle] : families_) {
      if (status.ok()) status = database_->Flush(options, handle);
    }
  }
  for (const auto& [name, handle] : families_) (void)database_->DestroyColumnFamilyHandle(handle);
  families_.clear();
  const rocksdb::Status closed = database_->Close();
  release();
  return to_status(status.ok() ? closed : status, "closing the log");
}

}  // namespace

Result<std::unique_ptr<Store>> open_rocksdb_store(const RocksDbOptions& options) {
  auto store = std::make_unique<RocksDbStore>(options);
  if (const Status opened = store->open(); !opened) return opened.error();
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace usher::wal
