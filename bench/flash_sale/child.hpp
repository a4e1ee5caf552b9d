#pragma once
/// Child processes: a server of our own, and programs that are run to their end. Started without a shell, ended by
/// their own id. For one thread.

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "usher/result.hpp"

namespace usher::flash {

/// Runs a program and gives every line that it prints to `line`. Returns: its exit code; io when it cannot be started.
[[nodiscard]] Result<int> run_program(const std::vector<std::string>& command,
                                      const std::function<void(std::string_view)>& line);

/// `usher serve` on a port of the system's choice.
class OwnServer {
 public:
  OwnServer() = default;
  ~OwnServer();
  OwnServer(const OwnServer&) = delete;
  OwnServer& operator=(const OwnServer&) = delete;

  /// Starts it and waits until it says that it is ready. `settings`: "key=value". Its output goes to `log_file`.
  /// Returns: io with the end of its output, when it ends before.
  [[nodiscard]] Status start(const std::string& usher, const std::string& data, const std::string& catalog,
                             const std::vector<std::string>& settings, const std::string& log_file);
  /// SIGTERM, and waits. Returns: io when its code is not 0.
  [[nodiscard]] Status stop();
  [[nodiscard]] const std::string& url() const noexcept { return url_; }
  [[nodiscard]] bool running() const noexcept { return pid_ > 0; }
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

 private:
  pid_t pid_ = -1;
  std::string url_;
};

/// CPU seconds, user and system, that a process has used; 0 when it is gone.
[[nodiscard]] double cpu_seconds_of(pid_t pid);

}  // namespace usher::flash
