#include "server/http/ring.hpp"

#include <liburing.h>
#include <poll.h>

#include <cstring>

#include "usher/assert.hpp"

namespace usher::server::http {
namespace {

// Operations handed over at once; more are handed over when the queue is full.
constexpr unsigned entries = 2'048;
// A receive for each of 19,000 connections, all ready at once.
constexpr unsigned completions = 32'768;

}  // namespace

struct Ring::State {
  io_uring ring{};
  bool enabled = false;

  ~State() { io_uring_queue_exit(&ring); }

  // The thread that uses the ring is the one that switches it on: it is made by another.
  void enable() noexcept {
    if (enabled) return;
    enabled = true;
    const int result = io_uring_register(static_cast<unsigned>(ring.ring_fd), IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
    USHER_ASSERT(result == 0);
  }

  io_uring_sqe& operation(std::uint64_t tag) noexcept {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring);
    while (sqe == nullptr) {
      enable();
      static_cast<void>(io_uring_submit(&ring));
      sqe = io_uring_get_sqe(&ring);
    }
    io_uring_prep_nop(sqe);
    sqe->user_data = tag;
    return *sqe;
  }
};

Ring::Ring(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Ring::~Ring() = default;

std::unique_ptr<Ring> Ring::make(int wake_fd) noexcept {
  io_uring_params parameters{};
  parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_SUBMIT_ALL |
                     IORING_SETUP_CQSIZE | IORING_SETUP_R_DISABLED;
  parameters.cq_entries = completions;
  io_uring made{};
  if (io_uring_queue_init_params(entries, &made, &parameters) != 0) return nullptr;
  auto state = std::make_unique<State>();
  state->ring = made;
  if (io_uring_register_eventfd(&state->ring, wake_fd) != 0) return nullptr;
  if (io_uring_cq_eventfd_toggle(&state->ring, false) != 0) return nullptr;
  return std::unique_ptr<Ring>(new Ring(std::move(state)));
}

// POLL_FIRST: the client has just been answered and has sent nothing yet; trying would find nothing.
void Ring::receive(int fd, char* data, std::size_t size, std::uint64_t tag) noexcept {
  io_uring_sqe& sqe = state_->operation(tag);
  io_uring_prep_recv(&sqe, fd, data, size, 0);
  sqe.ioprio |= IORING_RECVSEND_POLL_FIRST;
  sqe.user_data = tag;
}

void Ring::send(int fd, const char* data, std::size_t size, std::uint64_t tag) noexcept {
  io_uring_sqe& sqe = state_->operation(tag);
  io_uring_prep_send(&sqe, fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  sqe.user_data = tag;
}

void Ring::send_message(int fd, const msghdr* message, std::uint64_t tag) noexcept {
  io_uring_sqe& sqe = state_->operation(tag);
  io_uring_prep_sendmsg(&sqe, fd, message, MSG_NOSIGNAL | MSG_DONTWAIT);
  sqe.user_data = tag;
}

void Ring::poll_writable(int fd, std::uint64_t tag) noexcept {
  io_uring_sqe& sqe = state_->operation(tag);
  io_uring_prep_poll_add(&sqe, fd, POLLOUT);
  sqe.user_data = tag;
}

void Ring::submit() noexcept {
  if (io_uring_sq_ready(&state_->ring) == 0) return;
  state_->enable();
  static_cast<void>(io_uring_submit(&state_->ring));
}

void Ring::enter() noexcept {
  state_->enable();
  static_cast<void>(io_uring_submit_and_get_events(&state_->ring));
}

void Ring::enter_and_wait(unsigned count, std::chrono::nanoseconds timeout) noexcept {
  state_->enable();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(timeout);
  __kernel_timespec most{seconds.count(), (timeout - seconds).count()};
  io_uring_cqe* first = nullptr;
  static_cast<void>(io_uring_submit_and_wait_timeout(&state_->ring, &first, count, &most, nullptr));
}

bool Ring::ready() const noexcept {
  return io_uring_cq_ready(&state_->ring) != 0;
}

bool Ring::next(Completion& completion) noexcept {
  io_uring_cqe* cqe = nullptr;
  unsigned head = 0;
  io_uring_for_each_cqe(&state_->ring, head, cqe) {
    completion = {cqe->user_data, cqe->res};
    io_uring_cq_advance(&state_->ring, 1);
    return true;
  }
  return false;
}

void Ring::set_wake(bool on) noexcept {
  static_cast<void>(io_uring_cq_eventfd_toggle(&state_->ring, on));
}

}  // namespace usher::server::http
