#pragma once
/// Small things that the commands of usher_bench share: a folder that goes when it is over, files, the clock on the
/// wall.

#include <stdlib.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "usher/result.hpp"

namespace usher::flash {

/// Signs the tokens of servers that are started here and reached by nobody else.
inline constexpr const char* own_secret = "flash-sale-secret-0123456789abcdef";

class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "usher-flash.XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  [[nodiscard]] std::string file(const char* name) const { return path_ + "/" + name; }
  [[nodiscard]] bool made() const noexcept { return !path_.empty(); }

 private:
  std::string path_;
};

[[nodiscard]] inline std::int64_t wall_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

inline void say(const std::string& text) {
  std::fprintf(stderr, "%s\n", text.c_str());
}

/// Returns: the exit code of a command that could not do its work.
inline int fail(const Error& error) {
  say("usher_bench: " + error.detail);
  return 2;
}

[[nodiscard]] inline Status write_file(const std::string& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.flush();
  if (!out) return make_error(ErrorCode::io, "cannot write " + file);
  return Done{};
}

/// As many descriptors as the system allows.
inline void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace usher::flash
