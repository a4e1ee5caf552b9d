#include "server/config/secrets.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

namespace usher::server::config {

namespace {

constexpr std::size_t secret_bytes = 32;
constexpr std::string_view head =
    "# Secrets of this data directory. Keep them with its backups and away from everybody else.\n";

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool open() const noexcept { return fd_ >= 0; }

 private:
  int fd_;
};

std::filesystem::path path_in(const std::filesystem::path& directory) {
  return directory / "secrets";
}

Error io_error(const std::filesystem::path& path, std::string_view what) {
  return make_error(ErrorCode::io, fmt::format("{}: cannot {}: {}", path.string(), what, std::strerror(errno)));
}

std::optional<std::string> random_hex() {
  std::array<unsigned char, secret_bytes> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) return {};
  std::string hex;
  for (const unsigned char byte : bytes) hex += fmt::format("{:02x}", byte);
  return hex;
}

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::optional<std::string> bytes_of_hex(std::string_view hex) {
  if (hex.size() != 2 * secret_bytes) return {};
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = hex_value(hex[i]);
    const int low = hex_value(hex[i + 1]);
    if (high < 0 || low < 0) return {};
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

/// The value of the line "name value".
std::optional<std::string_view> line_of(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ' ')
      return line.substr(name.size() + 1);
  }
  return {};
}

Status sync_directory(const std::filesystem::path& directory) {
  const Descriptor folder{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!folder.open() || ::fsync(folder.get()) != 0) return io_error(directory, "sync");
  return Done{};
}

Status write_synced(int fd, const std::filesystem::path& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return io_error(path, "write");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(fd) != 0) return io_error(path, "sync");
  return Done{};
}

/// Writes a file under another name and links it to the final one, which fails when somebody else was first.
Status create(const std::filesystem::path& directory) {
  const std::optional<std::string> hs256 = random_hex();
  const std::optional<std::string> key = random_hex();
  if (!hs256 || !key) return io_error(directory, "get random bytes for");
  std::string pattern = (directory / "secrets.new.XXXXXX").string();
  const Descriptor file{::mkostemp(pattern.data(), O_CLOEXEC)};  // mode 0600
  if (!file.open()) return io_error(pattern, "create");
  Status status = write_synced(file.get(), pattern, fmt::format("{}hs256 {}\ndirectory {}\n", head, *hs256, *key));
  if (status.ok() && ::link(pattern.c_str(), path_in(directory).c_str()) != 0 && errno != EEXIST) {
    status = io_error(path_in(directory), "link");
  }
  ::unlink(pattern.c_str());
  if (!status.ok()) return status;
  return sync_directory(directory);
}

}  // namespace

Result<Secrets> load_secrets(const std::filesystem::path& directory) {
  const std::filesystem::path path = path_in(directory);
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file.open() && errno == ENOENT)
    return make_error(ErrorCode::not_found, fmt::format("{}: no such file", path.string()));
  struct stat facts {};
  if (!file.open() || ::fstat(file.get(), &facts) != 0) return io_error(path, "open");
  if ((facts.st_mode & 077U) != 0) {
    return make_error(ErrorCode::invalid,
                      fmt::format("{}: others than the owner may read it: chmod 600", path.string()));
  }
  std::array<char, 4'096> buffer{};
  const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
  if (size < 0) return io_error(path, "read");
  const std::string_view text{buffer.data(), static_cast<std::size_t>(size)};
  const std::optional<std::string_view> hs256 = line_of(text, "hs256");
  const std::optional<std::string_view> key = line_of(text, "directory");
  const std::optional<std::string> key_bytes = key ? bytes_of_hex(*key) : std::nullopt;
  if (!hs256 || !bytes_of_hex(*hs256) || !key_bytes) {
    return make_error(ErrorCode::corrupt, fmt::format("{}: the lines hs256 and directory must have {} hex digits each",
                                                      path.string(), 2 * secret_bytes));
  }
  return Secrets{std::string{*hs256}, *key_bytes};
}

Result<Secrets> load_or_create_secrets(const std::filesystem::path& directory) {
  Result<Secrets> found = load_secrets(directory);
  if (found || found.error().code != ErrorCode::not_found) return found;
  if (const Status created = create(directory); !created) return created.error();
  return load_secrets(directory);
}

}  // namespace usher::server::config
