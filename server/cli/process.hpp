#pragma once
/// What a serving process asks of the system: the signals that end it, and as many descriptors as it may have.

#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

namespace usher::server::cli {

/// Signals that end the server come as reads of a descriptor; made before any thread, so that all threads have them
/// blocked.
class StopSignal {
 public:
  StopSignal() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    fd_ = ::signalfd(-1, &signals, SFD_CLOEXEC);
  }
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  ~StopSignal() { ::close(fd_); }

  void wait() const {
    signalfd_siginfo info{};
    while (::read(fd_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) {
    }
  }

 private:
  int fd_;
};

inline void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace usher::server::cli
