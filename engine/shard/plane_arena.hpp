#pragma once
/// PlaneArena: memory for the bit planes of shows and for their durable images. Blocks of one size class (a number of
/// 64-bit words) are cut from large chunks and used again by size. For one thread.

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace usher::engine {

class PlaneArena {
 public:
  /// Returns: `words` zeroed words.
  [[nodiscard]] std::uint64_t* allocate(std::uint32_t words) {
    if (words < free_.size() && !free_[words].empty()) {
      std::uint64_t* block = free_[words].back();
      free_[words].pop_back();
      std::memset(block, 0, words * sizeof(std::uint64_t));
      return block;
    }
    if (words > left_) {
      left_ = words > chunk_words ? words : chunk_words;
      chunks_.push_back(std::make_unique<std::uint64_t[]>(left_));
      capacity_words_ += left_;
      at_ = chunks_.back().get();
    }
    std::uint64_t* block = at_;
    at_ += words;
    left_ -= words;
    return block;
  }

  /// Requires: `block` came from allocate(words).
  void release(std::uint64_t* block, std::uint32_t words) {
    if (words >= free_.size()) free_.resize(words + 1);
    free_[words].push_back(block);
  }

  [[nodiscard]] std::size_t capacity_bytes() const noexcept { return capacity_words_ * sizeof(std::uint64_t); }

 private:
  static constexpr std::size_t chunk_words = 2'048;  // 16 KiB: what 64 shards leave unused stays small

  std::vector<std::unique_ptr<std::uint64_t[]>> chunks_;
  std::vector<std::vector<std::uint64_t*>> free_;
  std::uint64_t* at_ = nullptr;
  std::size_t left_ = 0;
  std::size_t capacity_words_ = 0;
};

}  // namespace usher::engine
