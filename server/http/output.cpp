#include "server/http/output.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>

namespace usher::server::http {

void Output::append_shared(std::shared_ptr<const std::string> text) {
  if (text->empty()) return;
  shared_bytes_ += text->size();
  shared_.push_back({bytes_.size(), std::move(text)});
}

Output::Flush Output::flush(int fd) {
  while (!empty()) {
    std::size_t sent = 0;
    const Flush result = send_once(fd, sent);
    sent_ += sent;
    sent_total_ += sent;
    if (result == Flush::done) continue;
    if (shared_.empty() && sent_ >= compact_bytes_min) {
      bytes_.erase_front(sent_);
      sent_ = 0;
    }
    return result;
  }
  clear();
  return Flush::done;
}

Output::Flush Output::sent(std::size_t size) noexcept {
  sent_ += size;
  sent_total_ += size;
  if (!empty()) return Flush::would_block;
  clear();
  return Flush::done;
}

void Output::clear() noexcept {
  bytes_.clear();
  shared_.clear();
  shared_bytes_ = 0;
  sent_ = 0;
}

Output::Flush Output::send_once(int fd, std::size_t& sent) {
  ssize_t result = 0;
  if (shared_.empty()) {
    result = ::send(fd, bytes_.data() + sent_, bytes_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
  } else {
    std::array<iovec, parts_max> parts;
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = gather(parts.data());
    result = ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  if (result >= 0) {
    sent = static_cast<std::size_t>(result);
    return Flush::done;
  }
  if (errno == EINTR) return Flush::done;
  return errno == EAGAIN || errno == EWOULDBLOCK ? Flush::would_block : Flush::failed;
}

std::size_t Output::gather(iovec* parts) const noexcept {
  std::size_t count = 0;
  std::size_t skip = sent_;
  const auto add = [&](const char* data, std::size_t size) {
    const std::size_t skipped = skip < size ? skip : size;
    skip -= skipped;
    if (size == skipped || count == parts_max) return;
    parts[count].iov_base = const_cast<char*>(data + skipped);
    parts[count].iov_len = size - skipped;
    ++count;
  };
  std::size_t at = 0;
  for (const Shared& shared : shared_) {
    add(bytes_.data() + at, shared.at - at);
    add(shared.text->data(), shared.text->size());
    at = shared.at;
  }
  add(bytes_.data() + at, bytes_.size() - at);
  return count;
}

}  // namespace usher::server::http
