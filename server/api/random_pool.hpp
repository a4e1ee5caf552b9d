#pragma once
/// Random numbers for ids: the kernel's generator, read a page at a time. For one thread.

#include <sys/random.h>

#include <array>
#include <cstdint>

#include "usher/assert.hpp"

namespace usher::server::api {

class RandomPool {
 public:
  [[nodiscard]] std::uint64_t next() {
    if (used_ == words_.size()) refill();
    return words_[used_++];
  }

 private:
  void refill() {
    std::size_t got = 0;
    auto* bytes = reinterpret_cast<unsigned char*>(words_.data());
    while (got < sizeof words_) {
      const ssize_t count = ::getrandom(bytes + got, sizeof words_ - got, 0);
      USHER_ASSERT(count > 0);  // fails only before the kernel's generator is seeded, long before we start
      got += static_cast<std::size_t>(count);
    }
    used_ = 0;
  }

  std::array<std::uint64_t, 512> words_{};
  std::size_t used_ = 512;
};

}  // namespace usher::server::api
