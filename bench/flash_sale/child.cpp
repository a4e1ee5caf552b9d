#include "bench/flash_sale/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

namespace usher::flash {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Starts the command with standard output on `out` and, where `errors` is set, standard error too.
Result<pid_t> spawn(const std::vector<std::string>& command, int out, bool errors) {
  std::vector<char*> arguments;
  for (const std::string& word : command)
    arguments.push_back(const_cast<char*>(word.c_str()));  // posix_spawn's signature
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  if (errors) ::posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return make_error(ErrorCode::io, "cannot start " + command[0] + ": " + std::strerror(failed));
  return pid;
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string read_file(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

Result<int> run_program(const std::vector<std::string>& command, const std::function<void(std::string_view)>& line) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return make_error(ErrorCode::io, "pipe failed");
  const Result<pid_t> started = spawn(command, ends[1], false);
  ::close(ends[1]);
  if (!started) {
    ::close(ends[0]);
    return started.error();
  }
  std::string text;
  std::array<char, 1 << 16> buffer{};
  for (ssize_t count = 0; (count = ::read(ends[0], buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(count));
    std::size_t begin = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
      line(std::string_view(text).substr(begin, end - begin));
      begin = end + 1;
    }
    text.erase(0, begin);
  }
  ::close(ends[0]);
  if (!text.empty()) line(text);
  return wait_for(started.value());
}

OwnServer::~OwnServer() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  (void)wait_for(pid_);
}

Status OwnServer::start(const std::string& usher, const std::string& data, const std::string& catalog,
                        const std::vector<std::string>& settings, const std::string& log_file) {
  std::vector<std::string> command{usher, "serve", "--data", data};
  if (!catalog.empty()) command.insert(command.end(), {"--catalog", catalog});
  for (const std::string& setting : settings) command.insert(command.end(), {"--set", setting});
  const int out = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (out < 0) return make_error(ErrorCode::io, "cannot write " + log_file);
  const Result<pid_t> started = spawn(command, out, true);
  ::close(out);
  if (!started) return started.error();
  pid_ = started.value();
  const auto deadline = steady_clock::now() + std::chrono::minutes(10);
  constexpr std::string_view mark = "listening on ";
  for (;;) {
    const std::string said = read_file(log_file);
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = -1;
      return make_error(ErrorCode::io,
                        "usher serve ended:\n" + said.substr(said.size() > 3'000 ? said.size() - 3'000 : 0));
    }
    const std::size_t at = said.find(mark);
    if (at != std::string::npos && said.find("ready: ", at) != std::string::npos) {
      url_ = said.substr(at + mark.size(), said.find_first_of(" \n", at + mark.size()) - at - mark.size());
      return Done{};
    }
    if (steady_clock::now() > deadline) return make_error(ErrorCode::io, "usher serve was not ready within 10 min");
    std::this_thread::sleep_for(milliseconds(10));
  }
}

Status OwnServer::stop() {
  if (pid_ <= 0) return Done{};
  ::kill(pid_, SIGTERM);
  const int code = wait_for(pid_);
  pid_ = -1;
  if (code != 0) return make_error(ErrorCode::io, fmt::format("usher serve ended with code {}", code));
  return Done{};
}

double cpu_seconds_of(pid_t pid) {
  const std::string stat = read_file(fmt::format("/proc/{}/stat", pid));
  const std::size_t close = stat.rfind(')');
  if (close == std::string::npos) return 0;
  std::istringstream fields(stat.substr(close + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace usher::flash
