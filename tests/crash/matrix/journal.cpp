#include "tests/crash/matrix/journal.hpp"

#include <sys/mman.h>

#include <cstring>
#include <new>

#include "usher/assert.hpp"

namespace usher::crash {
namespace {

struct Fixed {
  OpKind kind;
  InodeNumber inode;
  std::uint64_t offset;
  std::uint32_t name_size;
  std::uint32_t data_size;
};

}  // namespace

Journal::Journal(std::size_t capacity_bytes) : capacity_bytes_(capacity_bytes) {
  void* const memory = ::mmap(nullptr, capacity_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  USHER_ASSERT(memory != MAP_FAILED);
  memory_ = static_cast<char*>(memory);
  new (memory_) Head{};
  clear();
}

Journal::~Journal() {
  ::munmap(memory_, capacity_bytes_);
}

void Journal::clear() noexcept {
  head().bytes = sizeof(Head);
  head().count = 0;
}

std::size_t Journal::count() const noexcept {
  return head().count;
}

void Journal::append(const Op& op) {
  const Fixed fixed{op.kind, op.inode, op.offset, static_cast<std::uint32_t>(op.name.size()),
                    static_cast<std::uint32_t>(op.data.size())};
  const std::size_t size = sizeof fixed + op.name.size() + op.data.size();
  USHER_ASSERT(head().bytes + size <= capacity_bytes_);
  char* at = memory_ + head().bytes;
  std::memcpy(at, &fixed, sizeof fixed);
  std::memcpy(at + sizeof fixed, op.name.data(), op.name.size());
  std::memcpy(at + sizeof fixed + op.name.size(), op.data.data(), op.data.size());
  head().bytes += size;
  ++head().count;
}

std::vector<Op> Journal::ops() const {
  std::vector<Op> ops;
  const char* at = memory_ + sizeof(Head);
  for (std::uint64_t n = 0; n < head().count; ++n) {
    Fixed fixed;
    std::memcpy(&fixed, at, sizeof fixed);
    at += sizeof fixed;
    ops.push_back(
        {fixed.kind, fixed.inode, fixed.offset, {at, fixed.name_size}, {at + fixed.name_size, fixed.data_size}});
    at += fixed.name_size + fixed.data_size;
  }
  return ops;
}

}  // namespace usher::crash
